import FoxgloveServer
import Telemetry
import WebSocketProtocol

/// The ways in which a request can bring a token along.
enum TokenForm: CaseIterable {
    case query, path, header, subprotocol

    /// Asks with `token` in this form.
    func ask(_ world: World, _ id: ConnectionID, _ token: String, host: String = "localhost", fields: [String] = []) {
        switch self {
        case .query: world.ask(id, target: "/?a=b&token=\(token)&c", host: host, fields: fields)
        case .path: world.ask(id, target: "/t/\(token)", host: host, fields: fields)
        case .header: world.ask(id, host: host, fields: fields + ["Authorization: Bearer \(token)"])
        case .subprotocol:
            let name = "base64url.bearer.authorization.sysmon." + Base64URL.encode(Array(token.utf8))
            world.ask(id, host: host, fields: fields, subprotocol: "\(name), foxglove.sdk.v1")
        }
    }
}

/// Tokens, and a digest that stands in for SHA-256.
enum Secrets {
    static let viewer = "the-viewers-token"
    static let `operator` = "the-operators-token"
    static let wrong = "the-operators-tokem"

    @Sendable static func digest(_ bytes: [UInt8]) -> [UInt8] {
        SHA1.digest(of: bytes) + SHA1.digest(of: bytes.reversed()).prefix(12)
    }

    static func hexDigest(_ token: String) -> String { hex(digest(Array(token.utf8))) }

    static let file = """
        viewer:vera:\(hexDigest(viewer))
        operator:otto:\(hexDigest(`operator`))
        viewer:kiosk:san=kiosk.example
        operator:robot:san=robot.example
        """

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension AccessPolicy {
    /// With the tokens and certificates of ``Secrets``.
    static func withTokens() throws -> AccessPolicy {
        var policy = AccessPolicy()
        policy.tokens = try TokenList(parsing: Array(Secrets.file.utf8))
        policy.digest = Secrets.digest
        return policy
    }
}
