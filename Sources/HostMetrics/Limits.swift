/// Bounds of what a collector publishes.
package enum Limits {
    /// Entries of one message unless the host's owner sets another number; what is left out is counted.
    package static let entryCountMax = 256
    /// What the owner may set: more would make messages that no viewer keeps up with.
    package static let entryCountRange = 1...4_096
    /// Bytes of what a device, a driver or the system calls itself.
    package static let labelByteCountMax = 256
    /// Datagrams of one netlink answer: of 32 KiB each, they hold millions of entries.
    package static let dumpDatagramCountMax = 65_536
    /// Changes of interfaces that one sample tells of one by one; what is beyond is counted.
    package static let linkEventCountMax = 32
    /// Bytes of a pattern that includes or excludes entries.
    package static let patternByteCountMax = 1_024
    /// Entries whose verdict is remembered before all are forgotten.
    package static let verdictCountMax = 65_536
    /// Block devices that are told apart, published or not: more are left out, and counted.
    package static let diskCountMax = 4_096
    /// Bytes of a block device's name. The kernel has room for 31.
    package static let diskNameByteCountMax = 64
    /// Bytes of a network interface's name. The kernel has room for 15, and for 127 in alternative names.
    package static let interfaceNameByteCountMax = 127
    /// Memory controllers and what is behind them, taken together.
    package static let memoryNodeCountMax = 1_024
    /// Operations of one version of NFS; those of version 4 are fewer than 80.
    package static let operationCountMax = 128
    /// Channel number of a chip's feature, chips, and features of all of them together; what is beyond is not read.
    package static let sensorChannelMax = 1_024
    package static let sensorChipCountMax = 512
    package static let sensorFeatureCountMax = 4_096
    /// Threads that read chips. One that hangs is left alone; when all do, nothing more is known.
    package static let sensorLaneCountMax = 4
    /// Lines of mountinfo that are looked at; the rest is counted. The kernel allows 100,000 in a mount namespace.
    package static let mountCountMax = 16_384
    /// Notes of one sample; what is beyond is counted. A storage network that comes back brings thousands of disks.
    package static let noteCountMax = 40
    /// Threads that ask filesystems for their sizes, those included that never came back.
    package static let statisticsThreadCountMax = 16
    /// Processes that are read; the rest is counted.
    package static let processCountMax = 65_536
    /// Users whose names are known.
    package static let userCountMax = 65_536
    /// Control groups that are looked at to find those that a pattern includes, and how deep they may lie.
    package static let controlGroupCountMax = 4_096
    package static let controlGroupDepthMax = 16
    /// Bytes of the name of a processor, which some firmware writes at length.
    package static let modelByteCountMax = 8_192
}
