internal import COpenSSL
internal import Glibc

/// A certificate for a server, and the private authority that signed it; as PEM.
///
/// The authority's key is forgotten: nobody can ever sign another certificate that those accept who trust it.
package struct PrivateCertificates: Sendable {
    /// What viewers have to trust.
    package let authority: [UInt8]
    /// With its chain.
    package let certificate: [UInt8]
    package let key: [UInt8]

    /// Browsers accept no more.
    package static let validDays = 825
    package static let hostCountMax = 64

    /// Whether a certificate can be made for `host`: a DNS name, maybe with `*.` in front, or an address.
    package static func isHost(_ host: String) -> Bool {
        if isAddress(host) { return true }
        let labels = (host.hasPrefix("*.") ? host.dropFirst(2) : host[...])
            .split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                1...63 ~= label.utf8.count && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { byte in
                        let character = Character(Unicode.Scalar(byte))
                        return byte < 0x80 && (character.isLetter || character.isNumber || byte == UInt8(ascii: "-"))
                    }
            }
    }

    private static func isAddress(_ host: String) -> Bool {
        var (four, six) = (in_addr(), in6_addr())
        return unsafe inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
    }

    /// `hosts` are such as ``isHost(_:)`` accepts, at least one; the first is the name in both certificates.
    package init(hosts: [String]) throws(TLSError) {
        precondition(1...Self.hostCountMax ~= hosts.count && hosts.allSatisfy(Self.isHost))
        let root = try Draft(name: "sysmon-agent authority for \(hosts[0])")
        try root.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: root)
        try root.add(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: root)
        try root.add(NID_subject_key_identifier, "hash", issuer: root)
        try root.sign(by: root)
        let leaf = try Draft(name: hosts[0])
        try leaf.add(NID_basic_constraints, "critical,CA:FALSE", issuer: root)
        try leaf.add(NID_key_usage, "critical,digitalSignature", issuer: root)
        try leaf.add(NID_ext_key_usage, "serverAuth", issuer: root)
        try leaf.add(NID_subject_key_identifier, "hash", issuer: root)
        try leaf.add(NID_authority_key_identifier, "keyid", issuer: root)
        let names = hosts.map { "\(Self.isAddress($0) ? "IP" : "DNS"):\($0)" }.joined(separator: ",")
        try leaf.add(NID_subject_alt_name, names, issuer: root)
        try leaf.sign(by: root)
        authority = try root.certificateText()
        certificate = try leaf.certificateText() + authority
        key = try leaf.keyText()
    }
}

/// A certificate in the making, and its key.
@safe
private final class Draft {
    private let key: OpaquePointer
    private let certificate: OpaquePointer

    /// Longest common name (RFC 5280).
    private static let nameByteCountMax = 64

    init(name: String) throws(TLSError) {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &made) == 1, let key = unsafe made, let certificate = unsafe X509_new()
        else { throw Self.fault() }
        unsafe (self.key, self.certificate) = (key, certificate)
        // Positive, and nothing that anybody could foresee.
        let serial = randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } >> 1 | 1
        let dayLength = 24 * 60 * 60
        let subject = unsafe X509_get_subject_name(certificate)
        let text = String(name.prefix(Self.nameByteCountMax))
        guard unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1,
            // Clocks differ.
            unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -dayLength) != nil,
            unsafe X509_gmtime_adj(
                X509_getm_notAfter(certificate), (PrivateCertificates.validDays - 1) * dayLength) != nil,
            unsafe X509_set_pubkey(certificate, key) == 1,
            unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1
        else { throw Self.fault() }
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// `value` in the words of x509v3_config(5).
    func add(_ kind: Int32, _ value: String, issuer: Draft) throws(TLSError) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer.certificate, certificate, nil, nil, 0)
        let made = unsafe X509V3_EXT_nconf_nid(nil, &context, kind, value)
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe made != nil, unsafe X509_add_ext(certificate, made, -1) == 1 else { throw Self.fault() }
    }

    func sign(by issuer: Draft) throws(TLSError) {
        guard unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate)) == 1,
            unsafe X509_sign(certificate, issuer.key, EVP_sha256()) > 0
        else { throw Self.fault() }
    }

    func certificateText() throws(TLSError) -> [UInt8] {
        unsafe try text { unsafe PEM_write_bio_X509($0, certificate) }
    }

    func keyText() throws(TLSError) -> [UInt8] {
        unsafe try text { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private func text(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { throw Self.fault() }
        defer { unsafe BIO_free(memory) }
        guard unsafe write(memory) == 1 else { throw Self.fault() }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe openssl_bytes(memory, &start)
        return unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
    }

    private static func fault() -> TLSError {
        let reason = unsafe ERR_reason_error_string(ERR_peek_last_error())
        let text = unsafe reason.map { unsafe String(cString: $0) } ?? "unknown error"
        return TLSError("cannot make a certificate: \(text)")
    }
}
