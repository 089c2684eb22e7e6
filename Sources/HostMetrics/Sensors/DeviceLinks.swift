internal import Glibc

/// The links between the devices of sysfs.
enum DeviceLinks {
    /// Where a path leads when all its links are followed; nil: nowhere.
    static func destination(of path: String) -> String? {
        guard let found = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    /// The last part of what a link says, whether that exists or not; nil: there is no such link.
    static func name(at path: String) -> String? {
        // PATH_MAX: no link is longer.
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe readlink(path, $0, bytes.count) } ?? 0
        }
        guard count > 0 else { return nil }
        return lastPart(of: String(decoding: buffer[..<count], as: UTF8.self))
    }

    static func lastPart(of path: String) -> String {
        path.split(separator: "/").last.map { String($0) } ?? ""
    }
}
