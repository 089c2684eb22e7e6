import HostMetrics
import Telemetry
import Testing

struct AddressMonitorTests {
    private let asked = ScriptedKernel()
    private let notifying = ScriptedKernel()

    private func monitor() -> AddressMonitor<ScriptedTransport> {
        AddressMonitor(requests: ScriptedTransport(asked), notifications: ScriptedTransport(notifying))
    }

    private func texts(_ monitor: borrowing AddressMonitor<ScriptedTransport>) -> [String] {
        monitor.addresses.indices.map { place in
            var text: [UInt8] = []
            monitor.addresses[place].address.append(to: &text)
            return String(decoding: monitor.links[place].name + [0x20] + text, as: UTF8.self)
                + "/\(monitor.addresses[place].prefixLength)"
        }
    }

    private static let linkLocal: [UInt8] = [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1]

    @Test func addressesAreOrderedAndPeersLeftOut() throws {
        asked.answers = [
            Wire.getLink: [
                { sequence in
                    [
                        .datagram(Wire.link(2, "tun0", mac: [], sequence: sequence)),
                        .datagram(
                            Wire.link(1, "lo", mac: [0, 0, 0, 0, 0, 0], isLoopback: true, sequence: sequence)
                                + Wire.done(sequence)),
                    ]
                }
            ],
            Wire.getAddress: [
                // Interrupted: not believed.
                {
                    [
                        .datagram(
                            Wire.address(1, [9, 9, 9, 9], prefix: 8, sequence: $0, flags: 2 | Wire.interrupted)
                                + Wire.done($0))
                    ]
                },
                {
                    [
                        .datagram(
                            Wire.address(2, [10, 0, 0, 1], prefix: 32, peer: [10, 0, 0, 2], sequence: $0)
                                + Wire.address(1, [127, 0, 0, 1], prefix: 8, sequence: $0)
                                + Wire.address(2, Self.linkLocal, prefix: 64, scope: 253, sequence: $0)),
                        .datagram(
                            Wire.address(5, [192, 0, 2, 1], prefix: 99, sequence: $0)
                                // Neither IPv4 nor IPv6; too short; no address.
                                + Wire.message(20, $0, [28, 0, 0, 0] + Wire.bytes(UInt32(1)))
                                + Wire.message(20, $0, [2, 0, 0])
                                + Wire.message(20, $0, [2, 8, 0, 0] + Wire.bytes(UInt32(1)))
                                + Wire.message(
                                    20, $0, [2, 8, 0, 0] + Wire.bytes(UInt32(1)) + Wire.attribute(2, [1, 2, 3]))
                                + Wire.done($0)),
                    ]
                },
            ],
        ]
        var monitor = monitor()
        #expect(try monitor.refresh())
        #expect(texts(monitor) == ["lo 127.0.0.1/8", "tun0 10.0.0.1/32", "tun0 fe80::1/64", " 192.0.2.1/32"])
        #expect(monitor.links.map(\.isLoopback) == [true, false, false, false])
        #expect(monitor.addresses.map(\.isLinkLocal) == [false, false, true, false])
        #expect(asked.requestCounts == [Wire.getLink: 1, Wire.getAddress: 2])
    }

    @Test func onlyWhatIsDifferentIsNews() throws {
        func addresses(_ last: UInt8) -> ScriptedKernel.Answer {
            { [.datagram(Wire.address(1, [192, 0, 2, last], prefix: 24, sequence: $0) + Wire.done($0))] }
        }
        func link(_ name: String) -> ScriptedKernel.Answer {
            { [.datagram(Wire.link(1, name, sequence: $0) + Wire.done($0))] }
        }
        asked.answers = [
            Wire.getLink: [link("a"), link("a"), link("a"), link("b")],
            Wire.getAddress: [addresses(1), addresses(1), addresses(2)],
        ]
        var monitor = monitor()
        #expect(try monitor.refresh())
        #expect(try !monitor.refresh())
        #expect(asked.requestCounts[Wire.getAddress] == 1)
        // A notification that changes nothing, lost ones, then those of a new address and of a new name.
        notifying.pending = [.datagram([1, 2, 3]), .datagram([])]
        #expect(try !monitor.refresh())
        notifying.pending = [.lost]
        #expect(try monitor.refresh())
        #expect(texts(monitor) == ["a 192.0.2.2/24"])
        notifying.pending = [.failed(5)]
        #expect(try monitor.refresh())
        #expect(texts(monitor) == ["b 192.0.2.2/24"] && asked.requestCounts[Wire.getAddress] == 4)
    }

    @Test func aFailedDumpIsMadeAgain() throws {
        var monitor = monitor()
        asked.sendErrno = 105
        #expect(throws: CollectError.read(errno: 105)) { try monitor.refresh() }
        asked.sendErrno = 0
        asked.answers = [
            Wire.getLink: [{ [.datagram(Wire.done($0))] }], Wire.getAddress: [{ [.datagram(Wire.done($0))] }],
        ]
        #expect(try !monitor.refresh())
        #expect(asked.requestCounts[Wire.getAddress] == 1)
    }

    @Test(arguments: [0, 1])
    func noMoreAddressesThanTheLimitAreKept(more: Int) throws {
        let limit = AddressMonitor<ScriptedTransport>.addressCountMax
        asked.answers = [
            Wire.getLink: [{ [.datagram(Wire.done($0))] }],
            Wire.getAddress: [
                { sequence in
                    let one = Wire.address(1, [1, 2, 3, 4], prefix: 8, sequence: sequence)
                    let other = Wire.address(2, [1, 2, 3, 4], prefix: 8, sequence: sequence)
                    let many = [[UInt8]](repeating: one, count: limit - 1 + more).flatMap { $0 }
                    return [.datagram(many), .datagram(other + Wire.done(sequence))]
                }
            ],
        ]
        var monitor = monitor()
        _ = try monitor.refresh()
        #expect(monitor.addresses.count == limit && monitor.addresses.last?.interface == (more == 0 ? 2 : 1))
    }

    @Test(arguments: [
        ("00000000000000000000000000000000", "::"), ("00000000000000000000000000000001", "::1"),
        ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"), ("20010db8000100000000000000000000", "2001:db8:1::"),
        ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
        ("00010002000300040005000600070008", "1:2:3:4:5:6:7:8"),
        ("00000002000300040005000600070000", "0:2:3:4:5:6:7:0"), ("00000000000300000000000000070008", "0:0:3::7:8"),
        ("fe8000000000000000fc00fffe000001", "fe80::fc:ff:fe00:1"), ("ABCD0000000000000000000000000000", "abcd::"),
    ])
    func addressesAreWrittenAsRFC5952Says(digits: String, text: String) {
        let bytes = stride(from: 0, to: 32, by: 2).map { place in
            UInt8(String(Array(digits)[place..<place + 2]), radix: 16) ?? 0
        }
        var result: [UInt8] = []
        let address = IPAddress(bytes.span, isIPv6: true)
        address?.append(to: &result)
        #expect(String(decoding: result, as: UTF8.self) == text)
    }

    @Test(arguments: [
        (0, "0.0.0.0", "::"), (1, "128.0.0.0", "8000::"), (24, "255.255.255.0", "ffff:ff00::"),
        (31, "255.255.255.254", "ffff:fffe::"), (32, "255.255.255.255", "ffff:ffff::"),
    ])
    func masksAreWrittenAsAddresses(length: Int, ipv4: String, ipv6: String) {
        for (isIPv6, expected) in [(false, ipv4), (true, ipv6)] {
            var result: [UInt8] = []
            IPAddress(maskOf: length, isIPv6: isIPv6).append(to: &result)
            #expect(String(decoding: result, as: UTF8.self) == expected)
        }
    }
}
