package import Telemetry
package import WebSocketProtocol

/// Every bound of what a server may make a client do.
package struct ClientLimits: Sendable {
    /// Of the HTTP answer.
    package var answerHeadByteCount = 8 * 1_024
    package var answerFieldCount = 64
    package var message = FrameDecoder.Limits(messageByteCount: 4 * 1_024 * 1_024, fragmentCount: 1_024)
    /// Channels that are offered at the same time, and the bytes of the name of each and of its schema.
    package var channelCount = 4_096
    package var nameByteCount = 1_024
    /// From the first byte sent to `serverInfo`.
    package var handshakeTime = Period.seconds(5)
    /// Nothing came for so long: the server is asked for a sign of life.
    package var pingInterval = Period.seconds(10)
    /// Nothing came for so long after that either: the connection is lost.
    package var pongTime = Period.seconds(10)

    package init() {}
}
