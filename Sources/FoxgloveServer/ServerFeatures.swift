package import FoxgloveProtocol
package import Telemetry

/// What a server offers besides its channels. Viewers are told once, so it does not change while the server runs.
package struct ServerFeatures {
    /// What is announced, in this order. What is not answers every use with a status.
    package var capabilities: [Capability] = []
    /// In which clients may publish on command topics; viewers take the first one that they know.
    package var encodings = ["json"]
    /// Topics on which clients may publish; messages on others are accepted and ignored.
    package var commandTopics: [String] = []
    /// By URI.
    package var assets: [String: [UInt8]] = [:]
    /// URIs of those that the owner makes when they are asked for.
    package var madeAssets: Set<String> = []
    /// Nil: a request that asks for no WebSocket is told to ask for one.
    package var http: HTTPFeatures?
    /// What `time` tells; needed with that capability.
    package var wallClock: (() -> Timestamp)?
    /// First and last moment of what can be played; needed with `playbackControl`.
    package var playbackRange: ClosedRange<Timestamp>?

    package init() {}
}
