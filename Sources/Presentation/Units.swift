internal import TelemetrySchema

/// How the values of a field are written for people, told by how its name ends.
enum Unit {
    case ratio, bytes, bytesPerSecond, bitsPerSecond, perSecond, hertz, celsius, seconds, wallClock
    /// What stands behind the number as it is.
    case named(String)
    case none

    /// The longest ending that fits counts.
    private static let endings: [(ending: String, unit: Unit)] = [
        ("bytes_per_second", .bytesPerSecond), ("bits_per_second", .bitsPerSecond), ("per_second", .perSecond),
        ("start_time_seconds", .wallClock), ("boot_time_seconds", .wallClock), ("seconds_total", .seconds),
        ("bytes_total", .bytes), ("ratio", .ratio), ("bytes", .bytes),
        ("hertz", .hertz), ("celsius", .celsius), ("seconds", .seconds), ("rpm", .named("rpm")),
        ("volts", .named("V")), ("amperes", .named("A")), ("watts", .named("W")), ("joules", .named("J")),
        ("joules_total", .named("J")), ("coulombs", .named("C")), ("dbm", .named("dBm")), ("cores", .named("CPUs")),
    ]

    /// The unit of a field, and its name without it: "rx" of "rx_bytes_per_second".
    static func of(_ field: String) -> (unit: Unit, label: String) {
        let fitting = endings.filter { field == $0.ending || field.hasSuffix("_" + $0.ending) }
        guard let (ending, unit) = fitting.max(by: { $0.ending.utf8.count < $1.ending.utf8.count }) else {
            return (.none, spaced(field))
        }
        let label = spaced(String(field.dropLast(ending.count)))
        switch unit {
        // "start time": the unit is not all of the ending.
        case .wallClock: return (unit, spaced(String(field.dropLast("_seconds".count))))
        default: return (unit, label.isEmpty ? spaced(field) : label)
        }
    }

    /// The labels of a message's fields. Where two would be the same, a ratio bears its full name.
    static func labels(of names: [String]) -> [String] {
        let labels = names.map { of($0).label }
        return zip(names, labels).map { name, label in
            guard name.hasSuffix("_ratio"), labels.count(where: { $0 == label }) > 1 else { return label }
            return spaced(name)
        }
    }

    private static func spaced(_ name: String) -> String { name.split(separator: "_").joined(separator: " ") }

    /// "-" where the number is not known.
    func text(_ number: Double) -> String {
        guard number.isFinite else { return "-" }
        switch self {
        case .ratio: return decimal(number * 100, 1) + " %"
        case .bytes: return scaled(number, 1_024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
        case .bytesPerSecond: return scaled(number, 1_000, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"])
        case .bitsPerSecond: return scaled(number, 1_000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
        case .perSecond: return scaled(number, 1_000, ["/s", "k/s", "M/s", "G/s"])
        case .hertz: return scaled(number, 1_000, ["Hz", "kHz", "MHz", "GHz"])
        case .celsius: return decimal(number, 1) + " °C"
        case .seconds: return duration(number)
        case .wallClock: return dateText(number)
        case .named(let name): return decimal(number, number == number.rounded() ? 0 : 2) + " " + name
        case .none: return number == number.rounded() ? decimal(number, 0) : decimal(number, 2)
        }
    }
}

/// The value of a field as text for people, on one line.
func text(of value: DecodedValue, in unit: Unit) -> String {
    switch value {
    case .number(let number): unit.text(number)
    case .unsigned(let number):
        if case .none = unit { "\(number)" } else { unit.text(Double(number)) }
    case .signed(let number):
        if case .none = unit { "\(number)" } else { unit.text(Double(number)) }
    case .bool(let bool): bool ? "yes" : "no"
    case .text(let text): text.isEmpty ? "-" : printable(text)
    case .bytes(let bytes): "\(bytes.count) bytes"
    // "OPER_LOWER_LAYER_DOWN": the first word is that of the enum.
    case .name(let name):
        (name.contains("_") ? name.split(separator: "_").dropFirst().joined(separator: " ") : name).lowercased()
    case .time(let seconds, _): dateText(Double(seconds))
    case .list(let elements): "\(elements.count)"
    case .message: "..."
    }
}

/// Text of a stranger as a terminal may show it: what is not seen, or would move the cursor, becomes "?".
package func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
                default: scalar
                }
            }))
}

/// With so many digits behind the point.
func decimal(_ number: Double, _ digitCount: Int) -> String {
    guard abs(number) < 1e15 else { return "\(number)" }
    let factor = [1, 10, 100, 1_000][digitCount]
    let scaled = Int((number * Double(factor)).rounded())
    guard digitCount > 0 else { return "\(scaled)" }
    let fraction = String(abs(scaled) % factor)
    return "\(scaled < 0 ? "-" : "")\(abs(scaled) / factor)."
        + String(repeating: "0", count: digitCount - fraction.utf8.count) + fraction
}

/// In the unit in which it is below `step`, with three digits.
private func scaled(_ number: Double, _ step: Double, _ units: [String]) -> String {
    var (scaled, index) = (number, 0)
    // 999.6 would be written as 1000.
    while abs(scaled) >= step - 0.5, index < units.count - 1 {
        scaled /= step
        index += 1
    }
    let digitCount = scaled == scaled.rounded() && index == 0 || abs(scaled) >= 99.95 ? 0 : abs(scaled) < 9.995 ? 2 : 1
    return decimal(scaled, index == 0 ? min(1, digitCount) : digitCount) + " " + units[index]
}

/// "12 µs", "3.4 s", "4 d 3 h".
func duration(_ seconds: Double) -> String {
    switch abs(seconds) {
    case 0: "0 s"
    case ..<0.000_999_5: decimal(seconds * 1e6, 0) + " µs"
    case ..<0.999_5: decimal(seconds * 1e3, abs(seconds) < 0.01 ? 1 : 0) + " ms"
    case ..<59.95: decimal(seconds, 1) + " s"
    case ..<3_600: pair(seconds, 60, "min", 1, "s")
    case ..<86_400: pair(seconds, 3_600, "h", 60, "min")
    default: pair(seconds, 86_400, "d", 3_600, "h")
    }
}

private func pair(_ seconds: Double, _ large: Double, _ largeName: String, _ small: Double, _ name: String) -> String {
    let count = (abs(seconds) / small).rounded(.down)
    let wholes = (count / (large / small)).rounded(.down)
    let rest = decimal(count - wholes * large / small, 0)
    return "\(seconds < 0 ? "-" : "")\(decimal(wholes, 0)) \(largeName) \(rest) \(name)"
}

/// A Unix time as date and time of day in UTC.
func dateText(_ unixSeconds: Double) -> String {
    // Years 1970 to 9999.
    guard unixSeconds >= 0, unixSeconds < 253_402_300_800 else { return "-" }
    let (days, second) = (Int(unixSeconds) / 86_400, Int(unixSeconds) % 86_400)
    // Eras of 400 years that begin in March, so that a leap day is the last of its year.
    let shifted = days + 719_468
    let (era, day) = (shifted / 146_097, shifted % 146_097)
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let (month, date) = (marchMonth < 10 ? marchMonth + 3 : marchMonth - 9, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(era * 400 + year + (month <= 2 ? 1 : 0))-\(two(month))-\(two(date)) "
        + "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
}
