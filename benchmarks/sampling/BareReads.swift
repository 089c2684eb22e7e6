import Glibc

/// The system calls of a sample without anything around them: what the kernel alone costs.
///
/// Exactly the calls that the collectors make: one pread for each file, the netlink dump, and the look at the socket
/// of link notifications, which is one `recv` that finds nothing.
@safe
final class BareReads {
    private let files: [Int32]
    private let dump: Int32
    private let notifications: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private var request: [UInt8]

    init() {
        files = SampledHost.Source.allCases.compactMap(\.path).map { path in unsafe open(path, O_RDONLY | O_CLOEXEC) }
        dump = Self.netlink(groups: 0)
        notifications = Self.netlink(groups: 1)
        unsafe buffer = .allocate(byteCount: 65_536, alignment: 64)
        // struct nlmsghdr and if_stats_msg: RTM_GETSTATS, NLM_F_REQUEST | NLM_F_DUMP, IFLA_STATS_LINK_64.
        request = [28, 0, 0, 0, 94, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    }

    private static func netlink(groups: UInt32) -> Int32 {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(16, type, 0)
        var address: (UInt16, UInt16, UInt32, UInt32) = (16, 0, 0, groups)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, 12) }
        }
        return descriptor
    }

    func read(_ source: SampledHost.Source) {
        if source.path != nil {
            unsafe _ = pread(files[source.rawValue], buffer.baseAddress, buffer.count, 0)
        } else {
            dumpInterfaces()
        }
    }

    private func dumpInterfaces() {
        unsafe _ = recv(notifications, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC))
        unsafe _ = request.withUnsafeBytes { unsafe send(dump, $0.baseAddress, $0.count, 0) }
        while true {
            let count = unsafe recv(dump, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC))
            // The dump ends with NLMSG_DONE, by itself or behind the last entry.
            var offset = 0
            while offset + 16 <= count {
                if unsafe buffer.load(fromByteOffset: offset + 4, as: UInt16.self) == 3 { return }
                offset += Int(unsafe buffer.load(fromByteOffset: offset, as: UInt32.self) + 3) & ~3
            }
            if count <= 0 { return }
        }
    }
}
