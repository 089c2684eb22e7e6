/// A unit as ListUnits tells it; valid while the list is read.
struct SystemdUnit: ~Escapable {
    /// "nginx.service".
    let id: Span<UInt8>
    /// "active", "failed": shared by all types.
    let activeState: Span<UInt8>
    /// "running", "auto-restart": of its type.
    let subState: Span<UInt8>
    /// Of its D-Bus object.
    let path: Span<UInt8>

    @_lifetime(copy id, copy activeState, copy subState, copy path)
    init(id: Span<UInt8>, activeState: Span<UInt8>, subState: Span<UInt8>, path: Span<UInt8>) {
        self.id = id
        self.activeState = activeState
        self.subState = subState
        self.path = path
    }

    /// Of a unit's name (systemd.unit(5)).
    static let nameByteCountMax = 255

    /// Whether the id is the name of a unit: of certain characters, and not too long.
    var isNamed: Bool {
        guard id.count > 0, id.count <= Self.nameByteCountMax else { return false }
        for index in id.indices where !Self.isNameByte(id[index]) { return false }
        return true
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "@"):
            true
        default: false
        }
    }

    var type: UnitType? {
        var dot = id.count - 1
        while dot >= 0, id[dot] != UInt8(ascii: ".") { dot -= 1 }
        let suffix = id.extracting(droppingFirst: dot + 1)
        return dot < 0 ? nil : UnitType.allCases.first { suffix.equals($0.rawValue.utf8.span) }
    }

    var state: UnitState? { UnitState.allCases.first { activeState.equals($0.rawValue.utf8.span) } }
}

/// What the names of units end with.
enum UnitType: String, CaseIterable {
    case service, socket, target, device, mount, automount, swap, timer, path, slice, scope
}

/// ActiveState of a unit.
enum UnitState: String, CaseIterable {
    case active, inactive, failed, activating, deactivating, reloading, maintenance, refreshing
}
