import Glibc
import Networking
import SysmonAgent

/// `sysmon-agent cert self-signed`: a certificate for TLS without anybody else's authority.
struct CertSelfSignedCommand: Command {
    static let description = CommandDescription(
        "cert self-signed", "make a certificate for TLS, and the authority that viewers have to trust for it",
        options: [
            CommandOption("host", .text("NAME"), "a name or address by which viewers reach the agent; repeatable"),
            CommandOption("out", .path, "the folder for the files (default: the current one)"),
        ],
        details: """
            It writes ca.pem, cert.pem and key.pem, and no file that is there already. The key of
            the authority is not kept, so that nothing else can be signed with it.
            """)

    private let hosts: [String]
    private let folder: String

    init(_ arguments: Arguments) throws(UsageError) {
        hosts = arguments.options.filter { $0.name == "host" }.map(\.value)
        folder = arguments.value(of: "out") ?? "."
        guard 1...PrivateCertificates.hostCountMax ~= hosts.count else {
            throw UsageError(
                text: "cert self-signed needs --host NAME, 1 to \(PrivateCertificates.hostCountMax) times")
        }
        for host in hosts where !PrivateCertificates.isHost(host) {
            throw UsageError(text: "--host \(host): must be a name without scheme and port, or an address")
        }
    }

    func run() throws(Failure) {
        let made: PrivateCertificates
        do throws(TLSError) { made = try PrivateCertificates(hosts: hosts) } catch { throw Failure(text: error.reason) }
        let files: [(path: String, mode: mode_t, bytes: [UInt8])] = [
            ("\(folder)/key.pem", 0o600, made.key), ("\(folder)/cert.pem", 0o644, made.certificate),
            ("\(folder)/ca.pem", 0o644, made.authority),
        ]
        for file in files where unsafe access(file.path, F_OK) == 0 {
            throw Failure(text: "\(file.path) is there already; move it away, or choose another folder with --out")
        }
        for file in files { try write(file.bytes, to: file.path, mode: file.mode) }
        print(
            advice(
                path: unsafe realpath(folder, nil).map { path in
                    defer { unsafe free(path) }
                    return unsafe String(cString: path)
                } ?? folder), terminator: "")
    }

    private func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(Failure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(text: "\(path): \(unsafe String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let failure = Failure(text: "\(path): \(unsafe String(cString: strerror(errno)))")
            unsafe unlink(path)
            throw failure
        }
    }

    private func advice(path: String) -> String {
        """
        \(path)/cert.pem and key.pem are for the agent, and valid for \(PrivateCertificates.validDays) days. In its
        configuration:

            tls: {cert: "\(path)/cert.pem", key: "\(path)/key.pem"},

        Viewers connect to wss://\(hosts[0].contains(":") ? "[\(hosts[0])]" : hosts[0]):8765 when their machines trust \
        ca.pem:

            Debian    cp ca.pem /usr/local/share/ca-certificates/sysmon-agent.crt && update-ca-certificates
            Chromium  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n sysmon-agent -i ca.pem
            Firefox   Settings, Privacy & Security, View Certificates, Authorities, Import
            macOS     security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ca.pem
            Windows   certutil -user -addstore Root ca.pem

        """
    }
}
