// `timespec` is in the headers of three modules, and not always taken from the same.
internal import CLinux
internal import COpenSSL
internal import Glibc

/// The files that a ``TLSContext`` is made from.
struct TLSFiles {
    let certificate: String
    let key: String
    let clientAuthority: String?

    /// What tells a file from its replacement, and from itself with other permissions.
    struct Stamp: Equatable {
        var inode: UInt64
        var byteCount: Int
        /// Seconds and nanoseconds of the last change of the bytes, then of anything, such as owner and mode.
        var times: [Int]
    }

    /// As the files are now; nil for one that is not there.
    var stamps: [Stamp?] {
        [certificate, key, clientAuthority].map { path in
            var status = stat()
            guard let path, unsafe stat(path, &status) == 0 else { return nil }
            return Stamp(
                inode: UInt64(status.st_ino), byteCount: Int(status.st_size),
                times: [
                    status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
                ])
        }
    }

    /// A context for servers, of these files and of the versions and options that are safe.
    func load() throws(TLSError) -> TLSHandle {
        ERR_clear_error()
        guard let made = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSError("TLS: out of memory") }
        let handle = unsafe TLSHandle(rawValue: made)
        let context = unsafe handle.rawValue
        _ = unsafe openssl_set_minimum_version(context, TLS1_2_VERSION)
        _ = unsafe SSL_CTX_set_options(context, openssl_no_compression | openssl_no_renegotiation)
        // Of TLS 1.2 only what keeps recorded traffic secret when the key is stolen later.
        _ = unsafe SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        // Tickets make a client remember its session; a cache would make us do it.
        unsafe openssl_keep_no_sessions(context)
        // Most connections are idle at any moment.
        unsafe openssl_release_idle_buffers(context)
        // A session is resumed where it began; without a name none is, once certificates are asked for.
        _ = unsafe SSL_CTX_set_session_id_context(context, "agent", 5)
        // Nobody is there to be asked for a passphrase.
        unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        try loadPair(into: handle)
        try loadAuthority(into: handle)
        return handle
    }

    private func loadPair(into handle: borrowing TLSHandle) throws(TLSError) {
        let context = unsafe handle.rawValue
        let (keyFile, certificateFile) = ("key \(key)", "certificate \(certificate)")
        try checkReadable(key, keyFile)
        var status = stat()
        if unsafe stat(key, &status) == 0, status.st_mode & 0o077 != 0 {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw TLSError("\(keyFile) is open to other users (mode 0\(mode)); run: chmod 600 \(key)")
        }
        // The key first: a certificate that does not fit it is then an error of its own.
        guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            throw TLSError(using: keyFile, advice: "give a private key as PEM, without a passphrase")
        }
        try checkReadable(certificate, certificateFile)
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw TLSError(
                using: certificateFile, advice: "give the certificate as PEM, then those up to its authority")
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw TLSError("\(keyFile) does not belong to \(certificateFile); give the two files of one pair")
        }
    }

    /// Asks for certificates of clients, and lets those in that have none.
    private func loadAuthority(into handle: borrowing TLSHandle) throws(TLSError) {
        guard let clientAuthority else { return }
        let context = unsafe handle.rawValue
        let file = "client authority \(clientAuthority)"
        try checkReadable(clientAuthority, file)
        guard unsafe SSL_CTX_load_verify_file(context, clientAuthority) == 1,
            let names = unsafe SSL_load_client_CA_file(clientAuthority)
        else { throw TLSError(using: file, advice: "give certificates of authorities as PEM") }
        // Browsers offer only certificates that one of these names has signed.
        unsafe SSL_CTX_set_client_CA_list(context, names)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }

    private func checkReadable(_ path: String, _ file: String) throws(TLSError) {
        guard unsafe access(path, R_OK) == 0 else { throw TLSError(opening: file, code: errno) }
    }
}

/// Owns a context of the library, as one of those who share it.
@safe
struct TLSHandle: ~Copyable {
    let rawValue: OpaquePointer

    init(rawValue: OpaquePointer) { unsafe self.rawValue = rawValue }

    deinit { unsafe SSL_CTX_free(rawValue) }
}
