/// What follows the driver in libsensors's names of chips: bus and address, "-pci-00c3".
package enum ChipNaming {
    /// By the name and the subsystem of the chip's device; nil: not a bus that has names, ask the device above.
    package static func suffix(device: String, subsystem: String?) -> String? {
        var name = DeviceName(device)
        // Kernels of old have no subsystem links: there the form of the name decides.
        if subsystem == nil || subsystem == "i2c", let bus = name.decimal(), name.skip("-"),
            let address = name.hexadecimal()
        {
            return "-i2c-\(Int16(truncatingIfNeeded: bus))-\(hexadecimal(address, digits: 2))"
        }
        name = DeviceName(device)
        if subsystem == nil || subsystem == "spi", name.skip("spi"), let bus = name.decimal(), name.skip("."),
            let select = name.decimal()
        {
            return "-spi-\(Int16(truncatingIfNeeded: bus))-\(hexadecimal(select))"
        }
        if subsystem == nil || subsystem == "pci", let address = pciAddress(device) {
            return "-pci-\(hexadecimal(address, digits: 4))"
        }
        switch subsystem {
        case nil, "platform", "of_platform": return "-isa-\(hexadecimal(platformNumber(device), digits: 4))"
        case "acpi": return "-acpi-0"
        case "hid": return hidSuffix(device)
        case "mdio_bus": return "-mdio-\(hexadecimal(mdioAddress(device)))"
        case "scsi": return scsiSuffix(device)
        default: return nil
        }
    }

    private static func pciAddress(_ device: String) -> Int64? {
        var name = DeviceName(device)
        guard let domain = name.hexadecimal(), name.skip(":"), let bus = name.hexadecimal(), name.skip(":"),
            let slot = name.hexadecimal(), name.skip("."), let function = name.hexadecimal()
        else { return nil }
        return domain &<< 16 &+ bus &<< 8 &+ slot &<< 3 &+ function
    }

    private static func platformNumber(_ device: String) -> Int64 {
        var name = DeviceName(device)
        guard name.skipWord(), name.skip(".") || name.skip(":") else { return 0 }
        return name.decimal() ?? 0
    }

    private static func mdioAddress(_ device: String) -> Int64 {
        var name = DeviceName(device)
        name.skip(upTo: ":")
        return name.skip(":") ? name.decimal() ?? 0 : 0
    }

    private static func hidSuffix(_ device: String) -> String? {
        var name = DeviceName(device)
        guard let bus = name.hexadecimal(), name.skip(":"), name.hexadecimal() != nil, name.skip(":"),
            name.hexadecimal() != nil, name.skip("."), let id = name.hexadecimal()
        else { return nil }
        return "-hid-\(Int16(truncatingIfNeeded: bus))-\(hexadecimal(id))"
    }

    private static func scsiSuffix(_ device: String) -> String? {
        var name = DeviceName(device)
        guard let host = name.decimal(), name.skip(":"), let channel = name.decimal(), name.skip(":"),
            let target = name.decimal(), name.skip(":"), let unit = name.hexadecimal()
        else { return nil }
        return "-scsi-\(Int16(truncatingIfNeeded: host))-\(hexadecimal(channel &<< 8 &+ target &<< 4 &+ unit))"
    }

    /// As C's `%x` prints an int.
    private static func hexadecimal(_ value: Int64, digits: Int = 1) -> String {
        let text = String(UInt32(truncatingIfNeeded: value), radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

/// Reads the name of a device from left to right.
private struct DeviceName {
    private var rest: Substring.UTF8View

    init(_ name: String) { rest = Substring(name).utf8 }

    mutating func skip(_ text: StaticString) -> Bool {
        let bytes = "\(text)".utf8
        guard rest.starts(with: bytes) else { return false }
        rest = rest.dropFirst(bytes.count)
        return true
    }

    mutating func skip(upTo byte: Character) { rest = rest.drop { $0 != byte.asciiValue } }

    /// Letters, digits and underscores; false: there are none.
    mutating func skipWord() -> Bool {
        let count = rest.count
        rest = rest.drop { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || character == "_")
        }
        return rest.count < count
    }

    mutating func decimal() -> Int64? {
        let start = rest
        let isNegative = skip("-")
        guard let magnitude = number(radix: 10) else {
            rest = start
            return nil
        }
        return isNegative ? -magnitude : magnitude
    }

    mutating func hexadecimal() -> Int64? { number(radix: 16) }

    /// Of at most eight digits: no address has more.
    private mutating func number(radix: Int64) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let byte = rest.first, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix {
            value = value * radix + Int64(digit)
            count += 1
            guard count <= 8 else { return nil }
            rest = rest.dropFirst()
        }
        return count > 0 ? value : nil
    }
}
