import FoxgloveClient
import FoxgloveProtocol
import Glibc
import HostMetrics
import Networking
import Presentation
import SysmonAgent
import Telemetry
import TelemetrySchema

/// `sysmon-agent cat`: the messages of a running agent, one line of JSON each.
struct CatCommand: Command {
    static let description = CommandDescription(
        "cat", operands: "TOPIC...", "print the messages of a running agent, one line of JSON each",
        options: ServerChoice.options + [
            CommandOption("count", .text("N"), "end after so many messages (default: when stopped)")
        ])

    private let topics: [String]
    private let server: ServerChoice
    /// How many messages are shown, of all topics together; nil: until stopped.
    private let count: Int?

    init(_ arguments: Arguments) throws(UsageError) {
        guard !arguments.operands.isEmpty else {
            throw UsageError(text: "name a topic, such as /cpu; `sysmon-agent list channels` lists them")
        }
        topics = arguments.operands
        server = try ServerChoice(arguments)
        count = try arguments.value(of: "count").map { text throws(UsageError) in
            guard let count = Int(text), count > 0 else {
                throw UsageError(text: "--count \(text): must be a number from 1 on")
            }
            return count
        }
    }

    /// Until SIGINT or SIGTERM, or until the connection is lost.
    func run() throws(Failure) {
        let signals = SignalQueue([SIGINT, SIGTERM])
        let link = try server.connect()
        var printer = MessagePrinter(countLeft: count)
        var missing = Set(topics)
        var deadline: Instant?
        var failure: Failure?
        defer { link.ask { $0.close() } }
        link.ask { $0.want(topics) }
        while true {
            let limit = Instant.earliest(link.nextDeadline, missing.isEmpty ? nil : deadline)
            _ = wait(for: [link.pollRequest, signals.pollRequest], until: limit)
            guard signals.next() == nil else { return }
            link.proceed { event in
                switch event {
                case .serverInfo: deadline = SystemClock.monotonic() + Self.advertiseTime
                case .advertised(let channels):
                    missing.subtract(channels.map(\.topic))
                    failure = failure ?? printer.fault(in: channels.filter { topics.contains($0.topic) })
                case .message(let channel, let logTime):
                    printer.take(channel, logTime: logTime, payload: link.client.payload)
                case .unadvertised(let channels):
                    for channel in channels where topics.contains(channel.topic) {
                        writeError("\(printable(channel.topic)) is not offered any more; waiting for it to come back")
                    }
                case .parameters, .status, .ended: break
                }
            }
            Output.write(printer.takeOutput())
            if printer.isDone { return }
            if let failure = failure ?? link.failure { throw failure }
            if let deadline, !missing.isEmpty, deadline <= SystemClock.monotonic() {
                throw notOffered(missing, link.client.offered.map(\.topic))
            }
        }
    }

    /// A server tells of its channels right after it greeted.
    private static let advertiseTime = Period.seconds(2)

    private func notOffered(_ missing: Set<String>, _ offered: [String]) -> Failure {
        let topic = topics.first(where: missing.contains) ?? ""
        let isOurs = allCollectors.contains { $0.channel.topic == topic }
        let hint =
            isOurs
            ? "its host has no source for it, or it is switched off"
            : nearest(to: topic, among: offered).map { "did you mean \(printable($0))" }
                ?? "there is no such channel"
        let list = offered.isEmpty ? "nothing" : offered.map(printable).joined(separator: " ")
        return Failure(
            text: "\(printable(topic)) is not offered by \(server.url.text): \(hint); there are \(list)")
    }
}

/// Messages as lines of JSON.
private struct MessagePrinter {
    var countLeft: Int?
    private let known = KnownMessages()
    private var output: [UInt8] = []

    init(countLeft: Int?) { self.countLeft = countLeft }

    var isDone: Bool { countLeft == 0 }

    mutating func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// Why messages of these channels cannot be shown; nil: they can.
    func fault(in channels: [RemoteChannel]) -> Failure? {
        for channel in channels where channel.encoding != "json" {
            guard channel.encoding != "protobuf" || !known.has(channel.schemaName) else { continue }
            return Failure(
                text: "\(printable(channel.topic)) has messages \(quoted(channel.schemaName)) in "
                    + "\(quoted(channel.encoding)), which this version of sysmon-agent does not know")
        }
        return nil
    }

    mutating func take(_ channel: RemoteChannel, logTime: Timestamp, payload: [UInt8]) {
        guard countLeft != 0 else { return }
        let message: [UInt8]?
        if channel.encoding == "json" {
            // Again as text, so that it is on one line.
            message = (try? JSONValue(parsing: payload)).flatMap { $0.isFinite ? Array($0.text.utf8) : nil }
        } else {
            message = known.decode(payload, schemaName: channel.schemaName)?.json(notKnown: .isNull)
        }
        guard let message else {
            writeError("a message of \(printable(channel.topic)) cannot be understood")
            return
        }
        let topic = JSONValue.string(channel.topic).text
        output += #"{"topic":\#(topic),"log_time":\#(time(logTime)),"message":"#.utf8
        output += message
        output += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        countLeft = countLeft.map { $0 - 1 }
    }

    /// As the stamp of a header.
    private func time(_ time: Timestamp) -> String {
        #"{"sec":\#(time.unixNanoseconds / 1_000_000_000),"nsec":\#(time.unixNanoseconds % 1_000_000_000)}"#
    }
}
