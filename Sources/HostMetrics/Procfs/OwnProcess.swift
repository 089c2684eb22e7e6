internal import CLinux
internal import Glibc

/// What the kernel tells of this very process; from /proc/self whatever the roots are.
package struct OwnProcess: ~Copyable {
    private var stat: ProcFile?
    private var statm: ProcFile?
    private var descriptors: DirectoryListing?

    /// Of the machine that this runs on.
    package static let pageSizeBytes = Double(sysconf(Int32(_SC_PAGESIZE)))

    package init() {
        stat = try? ProcFile(path: "/proc/self/stat", byteCapacity: 2_048)
        statm = try? ProcFile(path: "/proc/self/statm", byteCapacity: 256)
        descriptors = try? DirectoryListing(path: "/proc/self/fd")
    }

    /// User and system time, in nanoseconds.
    package func cpuNanoseconds() -> UInt64 {
        var usage = rusage()
        guard unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return 0 }
        func nanoseconds(_ time: timeval) -> UInt64 {
            UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_usec)) * 1_000
        }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    /// Pages of address space and in memory; nil: not known.
    package mutating func memoryPages(_ clock: () -> ClockReading) -> (virtual: UInt64, resident: UInt64)? {
        guard (try? statm?.read(clock)) != nil, let text = statm?.text else { return nil }
        var cursor = ByteCursor(text)
        guard case .value(let virtual) = cursor.unsigned(), case .value(let resident) = cursor.unsigned() else {
            return nil
        }
        return (virtual, resident)
    }

    /// 0: not known.
    package mutating func threadCount(_ clock: () -> ClockReading) -> UInt64 {
        guard (try? stat?.read(clock)) != nil, let text = stat?.text else { return 0 }
        return ProcessStat(parsing: text).map { UInt64($0.threadCount) } ?? 0
    }

    /// Open files, the one that this is read by included; 0: not known.
    package mutating func descriptorCount() -> Int {
        var count = 0
        descriptors?.forEach { _ in count += 1 }
        return count
    }

    /// The soft RLIMIT_NOFILE; nil: not known.
    package func descriptorCountMax() -> UInt64? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return UInt64(limit.rlim_cur)
    }
}
