/// Reads the files of /sys/class/net/NAME that tell about a link.
package struct LinkAttributeFiles: ~Copyable {
    private var path: FilePath
    private let folderByteCount: Int
    private var nameByteCount = 0
    private var reader = FileReader()

    package init(sysfs: String) {
        path = FilePath("\(sysfs)/class/net/")
        folderByteCount = path.byteCount
    }

    /// Everything that is known of the link.
    package mutating func attributes(of name: Span<UInt8>) -> LinkAttributes {
        var attributes = LinkAttributes()
        guard open(name) else { return attributes }
        attributes.index = unsigned("/ifindex").flatMap { UInt32(exactly: $0) } ?? 0
        attributes.operState = operState()
        attributes.mtuBytes = unsigned("/mtu").map { Double($0) } ?? .nan
        attributes.carrierChanges = unsigned("/carrier_changes") ?? 0
        addSpeed(to: &attributes)
        return attributes
    }

    /// What netlink does not tell: speed, duplex, and whether there is a device.
    package mutating func addSpeed(to attributes: inout LinkAttributes, of name: Span<UInt8>) {
        guard open(name) else { return }
        addSpeed(to: &attributes)
    }

    /// Lends a number from the interface's own folder; nil: none.
    package mutating func unsigned(_ leaf: StaticString) -> UInt64? {
        path.replace(after: nameByteCount, with: leaf)
        return reader.unsigned(path)
    }

    /// Turns to an interface; false if it can have no folder.
    package mutating func open(_ name: Span<UInt8>) -> Bool {
        for index in name.indices where name[index] == UInt8(ascii: "/") || name[index] == 0 { return false }
        path.replace(after: folderByteCount, with: name)
        nameByteCount = path.byteCount
        return true
    }

    package mutating func isFolder(_ name: Span<UInt8>) -> Bool {
        guard open(name) else { return false }
        path.replace(after: nameByteCount, with: "/.")
        return path.exists
    }

    private mutating func addSpeed(to attributes: inout LinkAttributes) {
        // Drivers print -1, 65535 or 4294967295 Mbit/s where they do not know; a link that is down fails to be read.
        let megabits = unsigned("/speed") ?? 0
        let isKnown = megabits != 0 && megabits != 65_535 && megabits != 4_294_967_295
        attributes.speedBitsPerSecond = isKnown ? Double(megabits) * 1e6 : .nan
        path.replace(after: nameByteCount, with: "/duplex")
        attributes.duplex = .unknown
        if reader.read(path) {
            if reader.line.equals("full") { attributes.duplex = .full }
            if reader.line.equals("half") { attributes.duplex = .half }
        }
        path.replace(after: nameByteCount, with: "/device")
        attributes.isPhysical = path.exists
    }

    private mutating func operState() -> LinkAttributes.OperState {
        path.replace(after: nameByteCount, with: "/operstate")
        guard reader.read(path) else { return .unknown }
        let line = reader.line
        if line.equals("up") { return .up }
        if line.equals("down") { return .down }
        if line.equals("notpresent") { return .notPresent }
        if line.equals("lowerlayerdown") { return .lowerLayerDown }
        if line.equals("testing") { return .testing }
        if line.equals("dormant") { return .dormant }
        return .unknown
    }
}
