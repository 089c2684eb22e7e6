internal import Telemetry

/// Notices that chips came or went, or that one of them got or lost attributes, without reading any.
struct HwmonWatch: ~Copyable {
    private var folder: FolderWatch
    /// Nil: there is no such folder.
    private var chips: Int?
    private var attributes: Int?
    private var lookedAt: UInt64?

    /// Seconds between looks into the chips' folders: coretemp adds there what measures a CPU that came online.
    private static let attributeSeconds = 10.0

    init(sysfs: String) { folder = FolderWatch("\(sysfs)/class/hwmon") }

    /// Whether something is other than at the last call; the first call says yes.
    mutating func hasChanged(at time: Instant) -> Bool {
        let chips = try? folder.fingerprint()
        var hasChanged = lookedAt == nil || chips != self.chips
        self.chips = chips
        if hasChanged || isLookDue(at: time) {
            let attributes = try? folder.deepFingerprint(entryCountMax: Limits.sensorChipCountMax)
            if attributes != self.attributes { hasChanged = true }
            self.attributes = attributes
            lookedAt = time.nanoseconds
        }
        return hasChanged
    }

    private func isLookDue(at time: Instant) -> Bool {
        guard let lookedAt, time.nanoseconds >= lookedAt else { return true }
        return Double(time.nanoseconds - lookedAt) / 1e9 >= Self.attributeSeconds
    }
}
