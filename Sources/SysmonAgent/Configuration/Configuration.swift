package import FoxgloveProtocol
package import HostMetrics
package import Telemetry

/// The effective settings: the one vocabulary for files, patches, parameters, services, options and the `/config`
/// channel. ``Setting/all`` and ``ChannelSetting/all`` list them.
package struct Configuration: Equatable, Sendable {
    package struct ChannelSettings: Equatable, Sendable {
        package var topic: String
        package var isEnabled = true
        /// Nil: the channel has no timer and cannot have a rate.
        package var sampling: Sampling?
        /// Set on the host only, and only those that are in ``entrySettings``.
        package var entries = EntrySettings()
        package var entrySettings: [EntrySetting]

        package init(topic: String, sampling: Sampling?, entrySettings: [EntrySetting] = []) {
            self.topic = topic
            self.sampling = sampling
            self.entrySettings = entrySettings
        }

        /// Channels of one topic have the same parameters in the same order.
        var parameters: [Parameter] {
            var parameters = [Parameter(name: "\(topic).enabled", value: .json(.bool(isEnabled)))]
            if let sampling {
                parameters.append(Parameter(name: "\(topic).rate_hertz", value: .float(sampling.rateHertz)))
                parameters.append(Parameter(name: "\(topic).window_seconds", value: .float(sampling.windowSeconds)))
            }
            return parameters
        }
    }

    package struct Sampling: Equatable, Sendable {
        /// Samples per second.
        package var rateHertz: Double
        /// Shortest span of rates and shares.
        package var windowSeconds: Double

        package init(rateHertz: Double, windowSeconds: Double) {
            self.rateHertz = rateHertz
            self.windowSeconds = windowSeconds
        }
    }

    /// Higher sample rates for a while, when something happens that deserves a closer look.
    package struct BoostSettings: Equatable, Sendable {
        package var isEnabled = true
        package var seconds = 30.0
        /// Samples per second meanwhile, by topic; a configured rate that is higher stays.
        package var rates = [
            "/cpu": 50.0, "/cpu/cores": 20, "/memory": 20, "/memory/paging": 20, "/pressure": 20, "/disk": 20,
            "/net": 20,
        ]
    }

    /// Whose patch it is.
    package enum Author: Sendable { case client, host }

    package static let rateHertzRange = 0.001...1_000
    package static let windowSecondsRange = 0.0...10
    static let boostSecondsRange = 1.0...3_600

    package static let logLevels = ["error", "warning", "info", "debug"]

    /// By channel.
    package internal(set) var channels: [ChannelSettings]
    /// What the agent writes to its log: one of ``logLevels``.
    package var logLevel = "info"
    /// Set on the host only.
    package var boost = BoostSettings()
    /// Set on the host only.
    package var host = HostSettings()

    package init(channels: [ChannelSettings]) { self.channels = channels }

    package subscript(channel: ChannelID) -> ChannelSettings { channels[channel.index] }

    /// By topic, for the collectors.
    package var entrySettings: [String: EntrySettings] {
        Dictionary(channels.map { ($0.topic, $0.entries) }) { first, _ in first }
    }

    // MARK: Parameters

    /// All settings as viewers see them: `<topic>.<setting>`, `log.level`, and some of the host's.
    package var parameters: [Parameter] {
        channels.flatMap { $0.parameters } + [Parameter(name: "log.level", value: .json(.string(logLevel)))]
            + hostParameters
    }

    /// Shown, and refused to clients.
    private var hostParameters: [Parameter] {
        [host.name.map { Parameter(name: "server.name", value: .json(.string($0))) }].compactMap(\.self) + [
            Parameter(name: "server.host", value: .json(.string(host.host))),
            Parameter(name: "server.time", value: .json(.bool(host.tellsTime))),
        ]
    }

    /// Takes values for parameters, all or none of them; one without a value gets back what it has in `defaults`.
    package mutating func apply(_ assignments: [Parameter], defaults: Configuration) throws(Refusal) {
        var patched = self
        let known = Dictionary(defaults.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        for assignment in assignments {
            let name = assignment.name
            guard let value = known[name] ?? nil, let key = SettingKey(name) else {
                throw Refusal(text: "\(quoted(name)) is no parameter")
            }
            try patched.set(key, to: (assignment.value ?? value).json, by: .client)
        }
        self = patched
    }
}
