/// The access point of each wireless interface, as its driver tells of it by nl80211.
package struct WirelessStations<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
    /// An interface and what is known of its link; NaN and nil: nothing.
    package struct Station: Sendable {
        package var index: UInt32
        package var name: [UInt8]
        package var signalDBm = Double.nan
        package var transmitBitsPerSecond = Double.nan
        package var receiveBitsPerSecond = Double.nan
        /// 32 bits wide, of this association.
        package var retries: UInt32?
        package var failures: UInt32?
        package var beaconLosses: UInt32?
    }

    private var requests: NetlinkDumper<Transport>
    private let family: UInt16
    private var interfaceRequest: [UInt8]
    package private(set) var stations: [Station] = []

    /// Throws where the kernel has no nl80211.
    package init(_ transport: consuming Transport) throws(CollectError) {
        var requests = NetlinkDumper(transport)
        var request = GenericNetlink.request(
            family: GenericNetlink.controlFamily, command: GenericNetlink.Control.getFamily)
        var found: UInt16?
        _ = try requests.readAll(&request, begin: { found = nil }) { _, payload in
            found = found ?? Self.family(in: payload, named: "nl80211")
        }
        guard let found else { throw .open(errno: 2) }  // ENOENT
        family = found
        interfaceRequest = GenericNetlink.request(family: found, command: GenericNetlink.Wireless.getInterface)
        self.requests = requests
    }

    private static func family(in payload: Span<UInt8>, named name: StaticString) -> UInt16? {
        var number: UInt16?
        var isWanted = false
        Netlink.forEachAttribute(in: payload, from: GenericNetlink.headerByteCount) { type, value in
            switch type {
            case GenericNetlink.Control.familyID where value.count >= 2: number = value.uint16(at: 0)
            case GenericNetlink.Control.familyName: isWanted = value.trimmed.equals(name)
            default: break
            }
        }
        return isWanted ? number : nil
    }

    /// Asks the drivers, which may take milliseconds.
    package mutating func refresh() throws(CollectError) {
        var found: [Station] = []
        _ = try requests.readAll(&interfaceRequest, begin: { found.removeAll() }) { _, payload in
            guard found.count < Limits.entryCountRange.upperBound, let station = Self.interface(in: payload) else {
                return
            }
            found.append(station)
        }
        for place in found.indices {
            var request = GenericNetlink.request(
                family: family, command: GenericNetlink.Wireless.getStation, interface: found[place].index)
            // An interface that went away meanwhile has no link.
            _ = try? requests.readAll(&request, begin: {}) { _, payload in
                Netlink.forEachAttribute(in: payload, from: GenericNetlink.headerByteCount) { type, value in
                    if type == GenericNetlink.Wireless.stationInfo { found[place].take(value) }
                }
            }
        }
        found.sort { $0.index < $1.index }
        stations = found
    }

    /// Nil: not an interface that has one access point.
    private static func interface(in payload: Span<UInt8>) -> Station? {
        var index: UInt32?
        var name: [UInt8] = []
        var isClient = false
        Netlink.forEachAttribute(in: payload, from: GenericNetlink.headerByteCount) { type, value in
            switch type {
            case GenericNetlink.Wireless.interfaceIndex where value.count >= 4: index = value.uint32(at: 0)
            case GenericNetlink.Wireless.interfaceName:
                let text = value.trimmed
                name = (0..<text.count).map { text[$0] }
            case GenericNetlink.Wireless.interfaceType where value.count >= 4:
                isClient = GenericNetlink.Wireless.clientTypes.contains(value.uint32(at: 0))
            default: break
            }
        }
        guard let index, isClient, !name.isEmpty else { return nil }
        return Station(index: index, name: name)
    }
}

extension WirelessStations.Station where Transport: ~Copyable {
    fileprivate mutating func take(_ info: Span<UInt8>) {
        Netlink.forEachAttribute(in: info, from: 0) { type, value in
            typealias Attribute = GenericNetlink.Station
            switch type {
            case Attribute.signal where value.count >= 1: signalDBm = Double(Int8(bitPattern: value[0]))
            case Attribute.transmitBitrate: transmitBitsPerSecond = Self.bitrate(in: value)
            case Attribute.receiveBitrate: receiveBitsPerSecond = Self.bitrate(in: value)
            case Attribute.retries where value.count >= 4: retries = value.uint32(at: 0)
            case Attribute.failures where value.count >= 4: failures = value.uint32(at: 0)
            case Attribute.beaconLosses where value.count >= 4: beaconLosses = value.uint32(at: 0)
            default: break
            }
        }
    }

    /// Bits per second. The narrow number cannot hold more than 6.5 Gbit/s, and is left out then.
    private static func bitrate(in value: Span<UInt8>) -> Double {
        var narrow: UInt16?
        var wide: UInt32?
        Netlink.forEachAttribute(in: value, from: 0) { type, number in
            switch type {
            case GenericNetlink.Bitrate.narrow where number.count >= 2: narrow = number.uint16(at: 0)
            case GenericNetlink.Bitrate.wide where number.count >= 4: wide = number.uint32(at: 0)
            default: break
            }
        }
        guard let rate = wide ?? narrow.map(UInt32.init), rate > 0 else { return .nan }
        return Double(rate) * GenericNetlink.Bitrate.unit
    }
}
