import FoxgloveServer
import Glibc
import Telemetry

/// The file that says who may log in.
final class TokenFile {
    /// Why it is not used, with the way out.
    struct Fault: Error {
        var text: String
    }

    /// What tells one version of the file from another.
    private struct Version: Equatable {
        var inode: UInt
        var byteCount: Int
        var changedAt: [Int]

        init(_ status: stat) {
            inode = UInt(status.st_ino)
            byteCount = Int(status.st_size)
            // The second pair also tells of other rights.
            changedAt = [
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ]
        }
    }

    let path: String
    /// The one that was looked at last, good or bad; nil if there was none.
    private var version: Version?
    private var nextLook = Instant(nanoseconds: 0)

    private static let lookInterval = Period.seconds(1)

    init(path: String) { self.path = path }

    /// The list, if the file is another than at the last look; nil if not, or if the last look was just now.
    func readIfChanged(now: Instant) throws(Fault) -> TokenList? {
        guard nextLook <= now else { return nil }
        nextLook = now + Self.lookInterval
        var status = stat()
        let found = unsafe stat(path, &status) == 0 ? Version(status) : nil
        guard found != version else { return nil }
        do { return try read() } catch {
            // What cannot be opened is told of once, too.
            version = found
            throw error
        }
    }

    func read() throws(Fault) -> TokenList {
        version = nil
        let limits = TokenList.Limits()
        let file: SmallFile
        do throws(SmallFile.Fault) { file = try SmallFile(path: path, byteLimit: limits.fileByteCount) } catch {
            throw Fault(text: error.text)
        }
        version = Version(file.status)
        try check(file.status)
        do { return try TokenList(parsing: file.bytes, limits: limits) } catch {
            throw Fault(text: "\(path): \(error.text)")
        }
    }

    private func check(_ status: stat) throws(Fault) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw Fault(text: "\(path) is no file; give a file") }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Fault(text: "\(path) belongs to another user; chown it to the user of the agent, or to root")
        }
        // Where systemd puts credentials it sees to their rights itself, with access control lists that look like those
        // of a group here.
        guard status.st_mode & 0o077 == 0 || isCredential else {
            throw Fault(text: "\(path) is open to other users; chmod 600 it")
        }
    }

    private var isCredential: Bool {
        guard let folder = unsafe getenv("CREDENTIALS_DIRECTORY") else { return false }
        return unsafe path.hasPrefix(String(cString: folder) + "/")
    }
}
