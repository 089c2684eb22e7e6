import Foundation
import Networking
import Testing

/// What files are taken for certificates, and what is said of the others.
@Suite struct TLSContextTests {
    private let directory: CertificateDirectory
    private var files: CertificateFiles { directory.files }

    init() throws { directory = try CertificateDirectory(asksClients: true) }

    private func failure() -> String? {
        do throws(TLSError) {
            _ = try TLSContext(
                certificate: files.certificate, key: files.key, clientAuthority: files.clientAuthority)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func aGoodPairIsTaken() { #expect(failure() == nil) }

    @Test(arguments: [0o644, 0o640, 0o604, 0o610] as [mode_t])
    func aKeyThatOthersMayOpenIsRefused(mode: mode_t) throws {
        try #require(unsafe chmod(files.key, mode) == 0)
        let text =
            "key \(files.key) is open to other users (mode 0\(String(mode, radix: 8))); run: chmod 600 \(files.key)"
        #expect(failure() == text)
    }

    @Test func aKeyMayBeStricterThanItMust() throws {
        try #require(unsafe chmod(files.key, 0o400) == 0)
        #expect(failure() == nil)
    }

    @Test func aMissingFileIsNamed() throws {
        try FileManager.default.removeItem(atPath: files.key)
        #expect(failure() == "cannot read key \(files.key): No such file or directory")
        try Certificate(serial: 1).writeKey(to: files.key)
        try FileManager.default.removeItem(atPath: files.certificate)
        #expect(failure() == "cannot read certificate \(files.certificate): No such file or directory")
        try directory.replace(by: Certificate(serial: 1))
        let authority = try #require(files.clientAuthority)
        try FileManager.default.removeItem(atPath: authority)
        #expect(failure() == "cannot read client authority \(authority): No such file or directory")
    }

    /// Opened as files are, a pipe would make the loop wait for somebody who writes to it.
    @Test(.timeLimit(.minutes(1))) func whatIsNoFileIsRefusedAtOnce() throws {
        let authority = try #require(files.clientAuthority)
        for path in [authority, files.certificate, files.key] {
            try FileManager.default.removeItem(atPath: path)
            try #require(unsafe mkfifo(path, 0o600) == 0)
            #expect(try #require(failure()).hasSuffix("\(path): not a regular file"))
        }
        try FileManager.default.removeItem(atPath: files.key)
        try FileManager.default.createSymbolicLink(atPath: files.key, withDestinationPath: "/dev/zero")
        #expect(failure() == "cannot read key \(files.key): not a regular file")
    }

    @Test func aFileWithoutEndIsRefused() throws {
        try #require(unsafe truncate(files.key, 1_048_577) == 0)
        #expect(failure() == "cannot read key \(files.key): larger than 1048576 bytes")
    }

    @Test func aBrokenCertificateInAChainIsRefused() throws {
        let good = try String(contentsOfFile: files.certificate, encoding: .utf8)
        try (good + good + "no certificate\n").write(toFile: files.certificate, atomically: true, encoding: .utf8)
        #expect(failure() == nil)
        let broken = good.replacingOccurrences(of: "MII", with: "AAA")
        try (good + broken).write(toFile: files.certificate, atomically: true, encoding: .utf8)
        #expect(try #require(failure()).contains(files.certificate))
    }

    @Test func aPairThatIsNoneIsRefused() throws {
        try Certificate(serial: 2).writeKey(to: files.key)
        let text = "key \(files.key) does not belong to certificate \(files.certificate)"
        #expect(failure() == text + "; give the two files of one pair")
    }

    @Test func whatIsNoCertificateIsRefused() throws {
        let authority = try #require(files.clientAuthority)
        for path in [authority, files.certificate, files.key] {
            try Data("nothing of that kind\n".utf8).write(to: URL(fileURLWithPath: path))
            unsafe chmod(path, 0o600)
            let text = try #require(failure())
            #expect(text.contains(path) && text.contains("PEM") && !text.contains("\n"))
        }
    }

    /// The library would ask for it on the terminal.
    @Test func aKeyWithAPassphraseIsRefused() throws {
        try Certificate(serial: 2).writeKey(to: files.key, passphrase: "secret")
        #expect(try #require(failure()).hasSuffix("give a private key as PEM, without a passphrase"))
    }
}
