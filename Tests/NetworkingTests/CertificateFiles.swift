import COpenSSL
import Foundation

/// Paths of a server's certificates.
struct CertificateFiles: Sendable {
    var certificate: String
    var key: String
    var clientAuthority: String?
}

/// A key and its certificate, made on the spot.
@safe
final class Certificate {
    let key: OpaquePointer
    let certificate: OpaquePointer

    /// Signed by `authority`, or an authority itself. `names` are alternatives for the subject, such as "DNS:a,URI:b".
    init(serial: Int, names: String? = nil, by authority: Certificate? = nil) throws {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key, let certificate = unsafe X509_new()
        else { throw Failure() }
        unsafe (self.key, self.certificate) = (key, certificate)
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -3_600)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), 3_600)
        unsafe X509_set_pubkey(certificate, key)
        let subject = unsafe X509_get_subject_name(certificate)
        unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, "test \(serial)", -1, -1, 0)
        unsafe X509_set_issuer_name(certificate, X509_get_subject_name((authority?.certificate ?? certificate)))
        if authority == nil { try add(NID_basic_constraints, "critical,CA:TRUE") }
        if let names { try add(NID_subject_alt_name, names) }
        guard unsafe X509_sign(certificate, authority?.key ?? key, EVP_sha256()) > 0 else { throw Failure() }
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    struct Failure: Error {}

    private func add(_ kind: Int32, _ value: String) throws {
        let made = unsafe X509V3_EXT_nconf_nid(nil, nil, kind, value)
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe made != nil, unsafe X509_add_ext(certificate, made, -1) == 1 else { throw Failure() }
    }

    func write(to path: String) throws {
        guard let file = unsafe BIO_new_file(path, "w") else { throw Failure() }
        defer { unsafe BIO_free(file) }
        guard unsafe PEM_write_bio_X509(file, certificate) == 1 else { throw Failure() }
    }

    func writeKey(to path: String, mode: mode_t = 0o600, passphrase: String? = nil) throws {
        guard let file = unsafe BIO_new_file(path, "w") else { throw Failure() }
        defer { unsafe BIO_free(file) }
        let result =
            if let passphrase {
                unsafe passphrase.withCString { text in
                    unsafe PEM_write_bio_PKCS8PrivateKey(
                        file, key, EVP_aes_128_cbc(), text, Int32(passphrase.utf8.count), nil, nil)
                }
            } else {
                unsafe PEM_write_bio_PrivateKey(file, key, nil, nil, 0, nil, nil)
            }
        guard result == 1, unsafe chmod(path, mode) == 0 else { throw Failure() }
    }
}

/// A temporary directory with a server's certificate, and clients' authority; gone with the value.
final class CertificateDirectory {
    let path: String
    let files: CertificateFiles
    let authority: Certificate

    init(serial: Int = 1, asksClients: Bool = false) throws {
        path = NSTemporaryDirectory() + "tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        authority = try Certificate(serial: 1_000)
        files = CertificateFiles(
            certificate: path + "/certificate.pem", key: path + "/key.pem",
            clientAuthority: asksClients ? path + "/authority.pem" : nil)
        try authority.write(to: path + "/authority.pem")
        try replace(by: Certificate(serial: serial, by: authority))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func replace(by certificate: Certificate) throws {
        try certificate.write(to: files.certificate)
        try certificate.writeKey(to: files.key)
    }
}
