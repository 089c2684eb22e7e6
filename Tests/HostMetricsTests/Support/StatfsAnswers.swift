import Foundation
import HostMetrics
import Synchronization

/// What `statfs.json` of a made-up host answers; a mount that hangs does so until the answers are released.
final class StatfsAnswers: Sendable {
    private struct Answer: Decodable {
        var errno: String?
        var hang: Bool?
        var f_frsize: UInt64?
        var f_bsize: UInt64?
        var f_blocks: UInt64?
        var f_bfree: UInt64?
        var f_bavail: UInt64?
        var f_files: UInt64?
        var f_ffree: UInt64?
        var is_directory: Bool?
    }

    private static let codes = ["EACCES": EACCES, "EIO": EIO, "ENOENT": ENOENT, "ESTALE": ESTALE]

    private let answers = Mutex<[String: Answer]>([:])
    private let gate = DispatchSemaphore(value: 0)

    func load(_ file: URL) throws {
        let loaded = try JSONDecoder().decode([String: Answer].self, from: Data(contentsOf: file))
        answers.withLock { $0 = loaded }
    }

    func release() { gate.signal() }

    func answer(_ path: String) -> Result<FileSystemStatistics, ErrnoValue> {
        guard let answer = answers.withLock({ $0[path.isEmpty ? "/" : path] }) else {
            return .failure(ErrnoValue(code: ENOENT))
        }
        if answer.hang == true {
            gate.wait()
            gate.signal()
        }
        if let name = answer.errno { return .failure(ErrnoValue(code: Self.codes[name] ?? -1)) }
        return .success(
            FileSystemStatistics(
                blockBytes: answer.f_frsize ?? answer.f_bsize ?? 0, blockCount: answer.f_blocks ?? 0,
                freeBlockCount: answer.f_bfree ?? 0, availableBlockCount: answer.f_bavail ?? 0,
                fileCount: answer.f_files ?? 0, freeFileCount: answer.f_ffree ?? 0,
                isDirectory: answer.is_directory ?? true))
    }
}
