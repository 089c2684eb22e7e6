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
        try loadPair(into: handle)
        try loadAuthority(into: handle)
        return handle
    }

    private func loadPair(into handle: borrowing TLSHandle) throws(TLSError) {
        let context = unsafe handle.rawValue
        let (keyFile, certificateFile) = ("key \(key)", "certificate \(certificate)")
        // The key first: a certificate that does not fit it is then an error of its own.
        let keySource = try PEMFile(key, keyFile)
        guard keySource.mode & 0o077 == 0 else {
            let mode = String(keySource.mode, radix: 8)
            throw TLSError("\(keyFile) is open to other users (mode 0\(mode)); run: chmod 600 \(key)")
        }
        let privateKey = unsafe PEM_read_bio_PrivateKey(keySource.bytes, nil, refusePassphrase, nil)
        defer { unsafe EVP_PKEY_free(privateKey) }
        guard unsafe privateKey != nil, unsafe SSL_CTX_use_PrivateKey(context, privateKey) == 1 else {
            throw TLSError(using: keyFile, advice: "give a private key as PEM, without a passphrase")
        }
        let isTaken = try unsafe PEMFile(certificate, certificateFile).forEachCertificate { index, certificate in
            unsafe index == 0
                ? SSL_CTX_use_certificate(context, certificate) == 1
                : openssl_add_to_chain(context, certificate) == 1
        }
        guard isTaken else {
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
        let isTaken = try unsafe PEMFile(clientAuthority, file).forEachCertificate { _, authority in
            // Browsers offer only certificates that one of these names has signed.
            unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1
                && SSL_CTX_add_client_CA(context, authority) == 1
        }
        guard isTaken else { throw TLSError(using: file, advice: "give certificates of authorities as PEM") }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }
}

/// Nobody is there to be asked for a passphrase.
func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

/// What a file held when it was opened, for the library to read from.
///
/// The files are read by the thread that serves everybody, so nothing may make it wait: a path can be replaced by a
/// pipe, which keeps a reader waiting, or by a device, which never ends.
@safe
struct PEMFile: ~Copyable {
    /// Enough for hundreds of authorities.
    static let byteLimit = 1_024 * 1_024

    let bytes: OpaquePointer
    /// The file's permissions.
    let mode: mode_t
    private let buffer: UnsafeMutableRawBufferPointer

    /// `file` is what an error calls it.
    init(_ path: String, _ file: String) throws(TLSError) {
        let rawValue = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard let descriptor = try? FileDescriptor(rawValue, "open") else { throw TLSError(opening: file, code: errno) }
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { throw TLSError(opening: file, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TLSError("cannot read \(file): not a regular file") }
        guard status.st_size <= Self.byteLimit else {
            throw TLSError("cannot read \(file): larger than \(Self.byteLimit) bytes")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(status.st_size) + 1, alignment: 1)
        let count = unsafe read(descriptor.rawValue, buffer.baseAddress, Int(status.st_size))
        let code = errno
        guard count >= 0, let bytes = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(count)) else {
            unsafe buffer.deallocate()
            throw TLSError(opening: file, code: count < 0 ? code : ENOMEM)
        }
        unsafe (self.bytes, self.buffer) = (bytes, buffer)
        mode = status.st_mode & 0o777
    }

    deinit {
        unsafe BIO_free(bytes)
        // It may be a key.
        unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
        unsafe buffer.deallocate()
    }

    /// Gives the certificates to `take`, in order, until it returns false; true if there are some and all were taken.
    func forEachCertificate(_ take: (_ index: Int, _ certificate: OpaquePointer) -> Bool) -> Bool {
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509_AUX(bytes, nil, refusePassphrase, nil) {
            defer { unsafe X509_free(certificate) }
            guard unsafe take(count, certificate) else { return false }
            count += 1
        }
        // The end is an error of the library, and so is a certificate that is broken.
        guard count > 0, openssl_is_end_of_pem(ERR_peek_last_error()) else { return false }
        ERR_clear_error()
        return true
    }
}

/// Owns a context of the library, as one of those who share it.
@safe
struct TLSHandle: ~Copyable {
    let rawValue: OpaquePointer

    init(rawValue: OpaquePointer) { unsafe self.rawValue = rawValue }

    deinit { unsafe SSL_CTX_free(rawValue) }
}
