internal import COpenSSL

/// What a client needs to speak TLS, 1.2 or later, with servers whose certificates it can verify.
package final class TLSClientContext {
    private let handle: TLSHandle

    /// `authorities` is a PEM file of those that may sign certificates of servers, or a server's own certificate; nil:
    /// those of the system.
    package init(authorities: String?) throws(TLSError) {
        ERR_clear_error()
        guard let made = unsafe SSL_CTX_new(TLS_client_method()) else { throw TLSError("TLS: out of memory") }
        handle = unsafe TLSHandle(rawValue: made)
        let context = unsafe handle.rawValue
        _ = unsafe openssl_set_minimum_version(context, TLS1_2_VERSION)
        _ = unsafe SSL_CTX_set_options(context, openssl_no_compression | openssl_no_renegotiation)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard let authorities else {
            _ = unsafe SSL_CTX_set_default_verify_paths(context)
            return
        }
        let isTaken = try unsafe PEMFile(authorities, authorities).forEachCertificate { _, authority in
            unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1
        }
        guard isTaken else { throw TLSError(using: authorities, advice: "give certificates of authorities as PEM") }
    }

    /// Nil without memory.
    func makeSession(with server: String) -> TLSSession? { TLSSession(handle, server: server) }
}
