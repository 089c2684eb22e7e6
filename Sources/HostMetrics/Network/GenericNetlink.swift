/// The parts of generic netlink (linux/genetlink.h) and of nl80211 (linux/nl80211.h) that are used.
enum GenericNetlink {
    /// NETLINK_GENERIC.
    static let protocolNumber: Int32 = 16
    /// GENL_ID_CTRL: the family that knows the numbers of the others.
    static let controlFamily: UInt16 = 16
    /// struct genlmsghdr: command, version, padding.
    static let headerByteCount = 4

    enum Control {
        static let getFamily: UInt8 = 3
        static let familyID: UInt16 = 1
        static let familyName: UInt16 = 2
    }

    enum Wireless {
        static let getInterface: UInt8 = 5
        static let getStation: UInt8 = 17
        static let interfaceIndex: UInt16 = 3
        static let interfaceName: UInt16 = 4
        static let interfaceType: UInt16 = 5
        /// Types of interfaces that have one access point: NL80211_IFTYPE_STATION, NL80211_IFTYPE_P2P_CLIENT.
        static let clientTypes: [UInt32] = [2, 8]
        static let stationInfo: UInt16 = 21
    }

    /// NL80211_STA_INFO_*.
    enum Station {
        static let signal: UInt16 = 7
        static let transmitBitrate: UInt16 = 8
        static let retries: UInt16 = 11
        static let failures: UInt16 = 12
        static let receiveBitrate: UInt16 = 14
        static let beaconLosses: UInt16 = 18
    }

    /// NL80211_RATE_INFO_*, in units of 100 kbit/s.
    enum Bitrate {
        static let narrow: UInt16 = 1
        static let wide: UInt16 = 5
        static let unit = 100_000.0
    }

    /// A dump; `interface` limits it to one.
    static func request(family: UInt16, command: UInt8, interface: UInt32? = nil) -> [UInt8] {
        var payload: [UInt8] = [command, 0, 0, 0]
        if let interface {
            payload += Netlink.bytes(UInt16(Netlink.attributeHeaderByteCount + 4))
            payload += Netlink.bytes(Wireless.interfaceIndex) + Netlink.bytes(interface)
        }
        return Netlink.request(type: family, payload: payload)
    }
}
