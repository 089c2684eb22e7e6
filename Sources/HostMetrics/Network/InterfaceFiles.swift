internal import Telemetry

/// The interfaces where netlink cannot be used: fixtures, old kernels, sandboxes. Counters by /proc/net/dev, or else by
/// /sys/class/net/*/statistics; names and state by /sys/class/net.
struct InterfaceFiles: ~Copyable {
    private var devices: ProcFile?
    private var folder: DirectoryListing?
    private var files: LinkAttributeFiles
    private var lastAttributes: UInt64?
    private(set) var parseErrorCount = 0

    /// Nobody tells of changes here, and to read six files for each interface costs more than all counters together.
    private static let attributeNanoseconds: UInt64 = 1_000_000_000

    init(procfs: String, sysfs: String) throws(CollectError) {
        files = LinkAttributeFiles(sysfs: sysfs)
        do throws(CollectError) {
            devices = try ProcFile(path: "\(procfs)/net/dev", byteCapacity: 16_384)
        } catch {
            folder = try DirectoryListing(path: "\(sysfs)/class/net")
        }
    }

    mutating func refresh(
        _ table: inout InterfaceTable, _ clock: () -> ClockReading
    ) throws(CollectError) -> ClockReading {
        table.beginReading()
        parseErrorCount = 0
        let time: ClockReading
        if var devices = devices.take() {
            let result = Result { () throws(CollectError) in try devices.readByLines(clock) }
            if case .success = result { parseErrorCount = Self.addDevices(devices.text, to: &table, &files) }
            self.devices = consume devices
            time = try result.get()
        } else if var folder = folder.take() {
            let before = clock()
            Self.addFolders(&folder, to: &table, &files)
            time = before.midpoint(to: clock())
            self.folder = consume folder
        } else {
            throw .nothingUsable
        }
        table.removeAbsent()
        renewAttributes(&table, at: time)
        table.restoreOrder()
        return time
    }

    private static func addDevices(
        _ text: Span<UInt8>, to table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) -> Int {
        NetworkDevices.forEach(in: text) { name, counters in
            if let place = place(of: name, in: &table, &files) { table.setCounters(counters, at: place) }
        }
    }

    private static func addFolders(
        _ folder: inout DirectoryListing, to table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) {
        folder.forEach { name in
            // bonding_masters is a file among the folders.
            guard files.isFolder(name), let place = place(of: name, in: &table, &files), files.open(name) else {
                return
            }
            var isComplete = true
            let counters = counters(&files, &isComplete)
            table.setCounters(counters, isComplete: isComplete, at: place)
        }
    }

    private static func place(
        of name: Span<UInt8>, in table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) -> Int? {
        if let place = table.place(name: name) { return place }
        table.update(name: name, files.attributes(of: name), at: nil)
        return table.place(name: name)
    }

    private static func counters(_ files: inout LinkAttributeFiles, _ isComplete: inout Bool) -> InterfaceCounters {
        var counters = InterfaceCounters()
        func set(_ column: Int, _ leaf: StaticString) {
            if let value = files.unsigned(leaf) { counters.columns[column] &+= value } else { isComplete = false }
        }
        typealias Column = InterfaceCounters.Column
        set(Column.rxBytes, "/statistics/rx_bytes")
        set(Column.txBytes, "/statistics/tx_bytes")
        set(Column.rxPackets, "/statistics/rx_packets")
        set(Column.txPackets, "/statistics/tx_packets")
        set(Column.rxErrors, "/statistics/rx_errors")
        set(Column.txErrors, "/statistics/tx_errors")
        set(Column.rxDropped, "/statistics/rx_dropped")
        set(Column.rxDropped, "/statistics/rx_missed_errors")
        set(Column.txDropped, "/statistics/tx_dropped")
        set(Column.rxFifoErrors, "/statistics/rx_fifo_errors")
        set(Column.rxFrameErrors, "/statistics/rx_length_errors")
        set(Column.rxFrameErrors, "/statistics/rx_over_errors")
        set(Column.rxFrameErrors, "/statistics/rx_crc_errors")
        set(Column.rxFrameErrors, "/statistics/rx_frame_errors")
        set(Column.rxMulticast, "/statistics/multicast")
        set(Column.txFifoErrors, "/statistics/tx_fifo_errors")
        set(Column.txCollisions, "/statistics/collisions")
        set(Column.txCarrierErrors, "/statistics/tx_carrier_errors")
        set(Column.txCarrierErrors, "/statistics/tx_aborted_errors")
        set(Column.txCarrierErrors, "/statistics/tx_window_errors")
        set(Column.txCarrierErrors, "/statistics/tx_heartbeat_errors")
        return counters
    }

    private mutating func renewAttributes(_ table: inout InterfaceTable, at time: ClockReading) {
        let now = time.monotonic.nanoseconds
        guard let last = lastAttributes, now >= last else {
            lastAttributes = now
            return
        }
        guard now - last >= Self.attributeNanoseconds else { return }
        lastAttributes = now
        table.renewAttributes(&files)
    }
}
