/// The name of a chip's attribute: kind, channel, underscore, attribute, as in "temp1_max_alarm".
package struct SensorAttributeName: Equatable {
    package var kind: SensorKind
    package var channel: Int
    package var attribute: SensorAttributes

    /// Nil: the name is none that is read. Channels have no leading zeros and are at most
    /// ``Limits/sensorChannelMax``.
    package init?(_ name: Span<UInt8>) {
        for kind in SensorKind.allCases {
            var cursor = ByteCursor(name)
            guard cursor.skip(kind.stem), let channel = Self.channel(&cursor), cursor.skip(byte: UInt8(ascii: "_"))
            else { continue }
            let suffix = name.extracting(cursor.offset..<name.count)
            guard let place = SensorAttributes.suffixes.firstIndex(where: { suffix.equals($0) }) else { return nil }
            let attribute = SensorAttributes(rawValue: 1 << UInt32(place))
            guard kind.attributes.contains(attribute) else { return nil }
            self.kind = kind
            self.channel = channel
            self.attribute = attribute
            return
        }
        return nil
    }

    private static func channel(_ cursor: inout ByteCursor) -> Int? {
        let start = cursor.offset
        let first = cursor.next
        var channel = 0
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(cursor.next) {
            channel = channel * 10 + Int(cursor.next - UInt8(ascii: "0"))
            guard channel <= Limits.sensorChannelMax else { return nil }
            cursor.move(to: cursor.offset + 1)
        }
        let count = cursor.offset - start
        return count > 0 && (first != UInt8(ascii: "0") || count == 1) ? channel : nil
    }
}
