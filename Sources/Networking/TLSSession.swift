internal import COpenSSL
internal import Glibc

/// The TLS of one connection, as a machine between two streams of bytes: it never sees the socket.
@safe
final class TLSSession {
    enum Phase {
        case handshake, established
        /// The peer has said that it sends no more.
        case ended
        /// The handshake came to nothing: no version in common, a certificate that we do not take, no TLS at all.
        case refused
        /// The peer broke the rules of the protocol after the handshake.
        case failed
    }

    private(set) var phase = Phase.handshake
    /// What was fed is used up.
    private(set) var isDrained = true

    private let ssl: OpaquePointer
    private var isFedMuch = false
    /// How much of the ciphertext in memory is sent.
    private var sentByteCount = 0
    private var isClosed = false

    /// Memory beyond it is given back once its bytes are gone: the library would keep it, and most connections idle.
    private static let keptByteCount = 4 * 1_024

    /// What the library takes for a session, as measured: buffers of its own for as long as it shakes hands, and the
    /// secrets and certificates that it keeps.
    private static let (handshakeByteCount, establishedByteCount) = (48 * 1_024, 20 * 1_024)

    var byteCount: Int { phase == .handshake ? Self.handshakeByteCount : Self.establishedByteCount }

    /// `server`: the name or address of the server that this is a client of, which its certificate must bear; nil: this
    /// is the server.
    init?(_ context: borrowing TLSHandle, server: String? = nil) {
        guard let ssl = unsafe SSL_new(context.rawValue) else { return nil }
        guard let incoming = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set0_rbio(ssl, incoming)
        guard let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set0_wbio(ssl, outgoing)
        if let server {
            // An address is no name to be asked for (RFC 6066, section 3), and the library knows one when it sees it.
            if server.contains(where: { $0.isLetter && !$0.isHexDigit }), !server.contains(":") {
                unsafe openssl_ask_for_name(ssl, server)
            }
            unsafe SSL_set1_host(ssl, server)
            unsafe SSL_set_connect_state(ssl)
        } else {
            unsafe SSL_set_accept_state(ssl)
        }
        unsafe self.ssl = ssl
    }

    deinit { unsafe SSL_free(ssl) }

    // MARK: Receiving

    /// Takes ciphertext; only when the last is used up, so that no more than one helping waits in memory.
    func feed(_ ciphertext: UnsafeRawBufferPointer) {
        isDrained = false
        isFedMuch = isFedMuch || ciphertext.count > Self.keptByteCount
        let count = unsafe BIO_write(SSL_get_rbio(ssl), ciphertext.baseAddress, Int32(ciphertext.count))
        if count != ciphertext.count { phase = .failed }
    }

    /// Goes on with the handshake; true when that completes it.
    func shakeHands() -> Bool {
        guard phase == .handshake else { return false }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { phase = .established } else { stop(after: result) }
        return result == 1
    }

    /// Reads plaintext into `buffer` until that is full or there is no more; returns the number of bytes.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while phase == .established, filled < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            ERR_clear_error()
            let result = unsafe SSL_read(ssl, rest.baseAddress, Int32(rest.count))
            guard result > 0 else {
                stop(after: result)
                break
            }
            filled += Int(result)
        }
        return filled
    }

    private func stop(after result: Int32) {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            isDrained = true
            if isFedMuch, let small = unsafe BIO_new(BIO_s_mem()) {
                unsafe SSL_set0_rbio(ssl, small)
                isFedMuch = false
            }
        case SSL_ERROR_ZERO_RETURN: phase = .ended
        default: phase = phase == .handshake ? .refused : .failed
        }
    }

    // MARK: Sending

    /// Encrypts all of `plaintext`, for ``withCiphertext(_:)``.
    func seal(_ plaintext: UnsafeRawBufferPointer) {
        ERR_clear_error()
        let count = unsafe SSL_write(ssl, plaintext.baseAddress, Int32(plaintext.count))
        if count != plaintext.count { phase = .failed }
    }

    /// Tells the peer that nothing follows, so that it can tell the end from an attack. Of no effect before the
    /// handshake is complete.
    func close() {
        guard phase == .established || phase == .ended, !isClosed else { return }
        isClosed = true
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
    }

    /// How much waits to be sent.
    var ciphertextByteCount: Int { unsafe Int(openssl_bytes(SSL_get_wbio(ssl), nil)) - sentByteCount }

    /// Shows what waits to be sent to `send`, which returns how much of it was.
    func withCiphertext(_ send: (UnsafeRawBufferPointer) -> Int) {
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe Int(openssl_bytes(SSL_get_wbio(ssl), &start))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        sentByteCount += unsafe send(UnsafeRawBufferPointer(rebasing: bytes[sentByteCount...]))
        guard sentByteCount == count else { return }
        sentByteCount = 0
        if count > Self.keptByteCount, let small = unsafe BIO_new(BIO_s_mem()) {
            unsafe SSL_set0_wbio(ssl, small)
        } else {
            unsafe openssl_clear(SSL_get_wbio(ssl))
        }
    }

    // MARK: Identity

    /// Why the peer's certificate was not taken, in the library's words; nil: it was, or there was none.
    var verificationFault: String? {
        let result = unsafe SSL_get_verify_result(ssl)
        guard result != Int(X509_V_OK), let text = unsafe X509_verify_cert_error_string(result) else { return nil }
        return unsafe String(cString: text)
    }

    /// The names in the certificate that the client has shown and that was verified.
    var peerNames: [String] {
        guard unsafe SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0,
            unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK),
            let certificate = unsafe SSL_get1_peer_certificate(ssl)
        else { return [] }
        defer { unsafe X509_free(certificate) }
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(names) }
        let count = unsafe openssl_name_count(names)
        return (0..<count).compactMap { index in
            guard let name = unsafe openssl_name(names, index),
                unsafe [GEN_DNS, GEN_EMAIL, GEN_URI].contains(name.pointee.type)
            else { return nil }
            // The three have the same form.
            let text = unsafe name.pointee.d.ia5
            let start = unsafe ASN1_STRING_get0_data(text)
            let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(text)))
            return unsafe String(decoding: bytes, as: UTF8.self)
        }
    }
}
