/// Which block devices are published.
package struct DiskSelection {
    private var filter: EntryFilter
    /// What the host's owner includes replaces what is left out by default.
    private let hasInclude: Bool

    package init(_ settings: EntrySettings) {
        filter = EntryFilter(settings)
        hasInclude = settings.include != nil
    }

    package mutating func admits(_ name: Span<UInt8>) -> Bool {
        (hasInclude || !Self.isLeftOutByDefault(name)) && filter.admits(name)
    }

    private enum Part {
        case text(StaticString)
        case letters, digits, digitsOrNothing
    }

    /// RAM disks, loop and floppy devices, partitions, and the boot areas of eMMC.
    private static let leftOutByDefault: [[Part]] = [
        [.text("ram"), .digits],
        [.text("loop"), .digits],
        [.text("fd"), .digits],
        [.text("zram"), .digits],
        [.text("sd"), .letters, .digits],
        [.text("hd"), .letters, .digits],
        [.text("vd"), .letters, .digits],
        [.text("xvd"), .letters, .digits],
        [.text("nvme"), .digits, .text("n"), .digits, .text("p"), .digits],
        [.text("mmcblk"), .digits, .text("p"), .digits],
        [.text("mmcblk"), .digits, .text("boot"), .digitsOrNothing],
        [.text("mmcblk"), .digits, .text("rpmb"), .digitsOrNothing],
        [.text("mmcblk"), .digits, .text("gp"), .digitsOrNothing],
    ]

    package static func isLeftOutByDefault(_ name: Span<UInt8>) -> Bool {
        for parts in leftOutByDefault where matches(name, parts) { return true }
        return false
    }

    private static func matches(_ name: Span<UInt8>, _ parts: [Part]) -> Bool {
        var cursor = ByteCursor(name)
        for part in parts {
            switch part {
            case .text(let text): guard cursor.skip(text) else { return false }
            case .letters: guard skip("a"..."z", &cursor) else { return false }
            case .digits: guard skip("0"..."9", &cursor) else { return false }
            case .digitsOrNothing: _ = skip("0"..."9", &cursor)
            }
        }
        return cursor.isAtEnd
    }

    /// Moves past all bytes of the range; false if there is none.
    private static func skip(_ range: ClosedRange<Unicode.Scalar>, _ cursor: inout ByteCursor) -> Bool {
        let start = cursor.offset
        while range.contains(Unicode.Scalar(cursor.next)) { _ = cursor.skip(byte: cursor.next) }
        return cursor.offset > start
    }
}
