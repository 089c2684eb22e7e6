import COpenSSL
import Foundation

/// A plain blocking client that speaks TLS. It believes every server.
@safe
final class TLSClient: @unchecked Sendable {
    private let client: Client
    private let context: OpaquePointer
    private let ssl: OpaquePointer

    struct Refusal: Error, Equatable { var reason: String }

    /// Connects and shakes hands; `session` is one to resume.
    init(port: UInt16, version: Int32? = nil, certificate: Certificate? = nil, session: TLSClientSession? = nil) throws
    {
        client = try Client(port: port)
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw Refusal(reason: "no memory") }
        guard let ssl = unsafe SSL_new(context) else { throw Refusal(reason: "no memory") }
        unsafe (self.context, self.ssl) = (context, ssl)
        // Or the client would refuse an old version itself.
        unsafe SSL_set_cipher_list(ssl, "DEFAULT@SECLEVEL=0")
        if let version {
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        }
        if let certificate {
            unsafe SSL_use_certificate(ssl, certificate.certificate)
            unsafe SSL_use_PrivateKey(ssl, certificate.key)
        }
        if let session { unsafe SSL_set_session(ssl, session.session) }
        unsafe SSL_set_fd(ssl, client.descriptor)
        ERR_clear_error()
        guard unsafe SSL_connect(ssl) == 1 else { throw Refusal(reason: Self.reason) }
    }

    /// What a client sends first.
    static func greeting() throws -> [UInt8] {
        let context = unsafe SSL_CTX_new(TLS_client_method())
        defer { unsafe SSL_CTX_free(context) }
        guard let ssl = unsafe SSL_new(context) else { throw Refusal(reason: "no memory") }
        defer { unsafe SSL_free(ssl) }
        unsafe SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()))
        unsafe SSL_connect(ssl)
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe openssl_bytes(SSL_get_wbio(ssl), &start)
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    private static var reason: String {
        unsafe ERR_reason_error_string(ERR_peek_error()).map { unsafe String(cString: $0) } ?? "none given"
    }

    var version: Int32 { unsafe SSL_version(ssl) }
    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The serial number of the server's certificate.
    var serial: Int {
        let certificate = unsafe SSL_get1_peer_certificate(ssl)
        defer { unsafe X509_free(certificate) }
        return unsafe ASN1_INTEGER_get(X509_get0_serialNumber(certificate))
    }

    /// What a later connection can resume; with TLS 1.3 known only after a byte was received.
    var session: TLSClientSession? { unsafe SSL_get1_session(ssl).map { unsafe TLSClientSession($0) } }

    func close() { client.close() }

    /// Ends the own side as the protocol says.
    func shutDown() { unsafe SSL_shutdown(ssl) }

    /// Asks for new keys on both sides, or (before TLS 1.3) for a new handshake; false if that is refused.
    func renew() -> Bool {
        ERR_clear_error()
        if version == TLS1_3_VERSION {
            guard unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 else { return false }
        } else {
            guard unsafe SSL_renegotiate(ssl) == 1 else { return false }
        }
        return unsafe SSL_do_handshake(ssl) == 1
    }

    func send(_ bytes: [UInt8]) { unsafe SSL_write(ssl, bytes, Int32(bytes.count)) }

    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = receiveSome(upTo: count - bytes.count) { bytes += more }
        return bytes
    }

    enum End: Equatable {
        /// With close_notify.
        case clean
        case alert(String)
        /// The socket was closed without a word.
        case cut
    }

    func receiveToEnd() -> (bytes: [UInt8], end: End) {
        var bytes: [UInt8] = []
        while let more = receiveSome(upTo: 65_536) { bytes += more }
        if unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0, ERR_peek_error() == 0 { return (bytes, .clean) }
        return (bytes, Self.reason.contains("alert") ? .alert(Self.reason) : .cut)
    }

    private func receiveSome(upTo limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 20))
        ERR_clear_error()
        let count = unsafe SSL_read(ssl, &buffer, Int32(buffer.count))
        return count > 0 ? Array(buffer[..<Int(count)]) : nil
    }
}

/// What a client keeps to be recognized by.
@safe
final class TLSClientSession {
    let session: OpaquePointer
    init(_ session: OpaquePointer) { unsafe self.session = session }
    deinit { unsafe SSL_SESSION_free(session) }
}
