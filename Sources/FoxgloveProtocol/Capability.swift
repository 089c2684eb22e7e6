/// What a server may offer beyond channels (protocol.md, section 3).
package enum Capability: String, Sendable {
    case clientPublish, parameters, parametersSubscribe, time, services, connectionGraph, assets, playbackControl

    /// What a client is told that uses a capability which the server lacks.
    package var missingText: String {
        switch self {
        case .services: "Server does not support services"
        case .connectionGraph: "Server does not support connection graph capability"
        case .playbackControl: "Server does not support playback control capability"
        default: "Server does not support \(rawValue) capability"
        }
    }
}

/// The names under which the protocol is offered, the preferred one first: one wire format, two ages of clients.
package let foxgloveSubprotocols = ["foxglove.sdk.v1", "foxglove.websocket.v1"]
