import Glibc
import HostMetrics

/// The host that the options name.
extension Options {
    func makeHost() -> Host {
        let clock = SystemClock()
        return Host(procfs: procfs, sysfs: sysfs, rootfs: rootfs, facts: Self.facts(), clock: clock.reading)
    }

    func checkPaths() throws(Failure) {
        for (option, path) in [
            ("--path.procfs", procfs), ("--path.sysfs", sysfs), ("--path.rootfs", rootfs),
        ] {
            let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let reason = unsafe String(cString: strerror(errno))
                throw Failure(text: "\(option) \(path): \(reason); give a directory that the agent may read")
            }
            close(descriptor)
        }
    }

    private static func facts() -> HostFacts {
        var name = utsname()
        unsafe uname(&name)
        let machine = unsafe withUnsafeBytes(of: &name.machine) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return HostFacts(
            userTickHertz: Double(sysconf(Int32(_SC_CLK_TCK))), pageSizeBytes: Double(sysconf(Int32(_SC_PAGESIZE))),
            machine: machine, endianness: 1.littleEndian == 1 ? "LE" : "BE")
    }
}
