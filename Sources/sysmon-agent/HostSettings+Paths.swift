import SysmonAgent

/// Commands that look at a host, and are told no more of it than where it is.
extension HostSettings {
    static let pathOptions = Setting.all.filter { $0.key.hasPrefix("path.") }.compactMap(CommandOption.init)

    init(paths arguments: Arguments) {
        self.init()
        procfs = arguments.value(of: "path.procfs") ?? procfs
        sysfs = arguments.value(of: "path.sysfs") ?? sysfs
        rootfs = arguments.value(of: "path.rootfs") ?? rootfs
    }
}
