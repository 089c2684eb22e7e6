import Glibc
import SysmonAgent

/// The file of the changes that clients asked to keep, in the folder that systemd gives the service for its state.
final class ChangesFile {
    let path: String

    /// Nil: there is no such folder.
    init?(environment: [String: String]) {
        // systemd separates several by colons.
        guard let folder = environment["STATE_DIRECTORY"]?.split(separator: ":").first else { return nil }
        path = "\(folder)/config.json"
    }

    /// Nil: nothing was kept yet.
    func read() throws(Failure) -> [UInt8]? {
        guard unsafe access(path, F_OK) == 0 else { return nil }
        return try ConfigurationSources.bytes(of: path)
    }

    /// Adds changes to those kept before. Whoever reads the file meanwhile, or after a crash, finds the old or the new
    /// one, whole.
    func keep(_ changes: KeptChanges) throws(Configuration.Refusal) {
        var kept = KeptChanges()
        do throws(Failure) { if let bytes = try read() { kept = KeptChanges(parsing: bytes) } } catch {
            throw Configuration.Refusal(text: error.text)
        }
        kept.add(changes)
        let temporary = path + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw fault(temporary) }
        defer { close(descriptor) }
        let bytes = Array(kept.text.utf8)
        let isWritten = unsafe write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        guard isWritten, unsafe rename(temporary, path) == 0 else {
            let fault = fault(temporary)
            unsafe unlink(temporary)
            throw fault
        }
    }

    private func fault(_ path: String) -> Configuration.Refusal {
        Configuration.Refusal(text: "\(path): \(unsafe String(cString: strerror(errno)))")
    }
}
