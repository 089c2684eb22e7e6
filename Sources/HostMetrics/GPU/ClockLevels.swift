/// The clock that amdgpu runs at, of pp_dpm_sclk or pp_dpm_mclk: a line for each level, the current one with a star.
///
///     0: 500Mhz
///     1: 1800Mhz *
///
/// A chip in deep sleep has a level `S`.
struct ClockLevels: KernelText {
    /// NaN: no line has a star.
    private(set) var hertz = Double.nan
    private(set) var parseErrorCount = 0

    init() {}

    mutating func parse(_ text: Span<UInt8>) {
        hertz = .nan
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line().trimmed
            guard line.count > 0, line[line.count - 1] == UInt8(ascii: "*") else { continue }
            guard let megahertz = Self.megahertz(line) else {
                parseErrorCount += 1
                continue
            }
            if hertz.isNaN { hertz = Double(megahertz) * 1e6 }
        }
    }

    /// The number between the colon and the unit.
    private static func megahertz(_ line: Span<UInt8>) -> UInt64? {
        var start = 0
        while start < line.count, line[start] != UInt8(ascii: ":") { start += 1 }
        guard start < line.count else { return nil }
        start += 1
        while start < line.count, ByteCursor.isBlank(line[start]) { start += 1 }
        var end = start
        while end < line.count, line[end] >= UInt8(ascii: "0"), line[end] <= UInt8(ascii: "9") { end += 1 }
        var unit = ByteCursor(line.extracting(droppingFirst: end))
        guard unit.skip("Mhz") || unit.skip("MHz") else { return nil }
        return line.extracting(start..<end).unsignedValue
    }
}
