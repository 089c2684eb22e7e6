internal import COpenSSL

// What access control needs of cryptography, so that nobody above has to know the library.

/// The SHA-256 digest, 32 bytes: for secrets that are kept in files only as digests.
package func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = unsafe SHA256(bytes, bytes.count, &digest)
    return digest
}

/// Bytes that nobody can guess: for tokens and keys.
package func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // Going on with bytes that can be guessed would be worse than stopping.
    precondition(unsafe RAND_bytes(&bytes, Int32(count)) == 1, "the system gives no random bytes")
    return bytes
}
