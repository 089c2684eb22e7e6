/// The cases, numbered as the categories of the Autobahn test suite number theirs, and written after RFC 6455.
///
/// | category | count | |
/// |---|---|---|
/// | 1 | 16 | framing: lengths around the three forms of a length, text and binary |
/// | 2 | 11 | pings and pongs |
/// | 3 | 7 | reserved bits |
/// | 4 | 10 | reserved opcodes |
/// | 5 | 20 | fragmentation |
/// | 6 | 145 | UTF-8 |
/// | 7 | 37 | the closing handshake |
/// | 9 | 54 | limits: messages up to 16 MiB, many fragments, many writes, many messages |
/// | 10 | 1 | fragments of an odd size |
///
/// 301 in all. Groups 9.7 and 9.8, a thousand messages each, are sent in one go: how long an echo takes is not measured
/// here. Categories 12 and 13 are about compression, which is declined; there are none numbered 8 and 11.
struct Category: Sendable {
    let number: Int
    let caseCount: Int
    let cases: @Sendable () -> [Case]

    static let all = [
        Self(number: 1, caseCount: 16) { framing }, Self(number: 2, caseCount: 11) { pings },
        Self(number: 3, caseCount: 7) { reservedBits }, Self(number: 4, caseCount: 10) { reservedOpcodes },
        Self(number: 5, caseCount: 20) { fragmentation }, Self(number: 6, caseCount: 145) { utf8 },
        Self(number: 7, caseCount: 37) { closing }, Self(number: 9, caseCount: 54) { limits },
        Self(number: 10, caseCount: 1) { oddFragments },
    ]

    // MARK: 1 Framing

    private static let lengths = [0, 125, 126, 127, 128, 65_535, 65_536]

    private static var framing: [Case] {
        Case.numbered(
            "1.1",
            lengths.map { .echo(.text(.letters($0))) } + [.echo(.text(.letters(65_536)), .octets(997))])
            + Case.numbered(
                "1.2",
                lengths.map { .echo(.binary(.octets($0))) } + [.echo(.binary(.octets(65_536)), .octets(1))])
    }

    // MARK: 2 Pings and pongs

    private static var pings: [Case] {
        let tenPings = (0..<10).map { Frame.ping(Payload("ping \($0)")) }
        let tenPongs = (0..<10).map { Frame.pong(Payload("ping \($0)")) }
        return Case.numbered(
            "2",
            [
                .clean([.ping()], receives: [.pong()]),
                .clean([.ping("Hello, world!")], receives: [.pong("Hello, world!")]),
                .clean(
                    [.ping(Payload(hex: "00 FF FE FD FC FB 00 FF"))],
                    receives: [.pong(Payload(hex: "00FFFEFDFCFB00FF"))]),
                .clean([.ping(.octets(125))], receives: [.pong(.octets(125))]),
                .failed([.ping(.octets(126))], with: 1002),
                .clean([.ping(.octets(125))], .octets(1), receives: [.pong(.octets(125))]),
                // Nobody asked for these pongs; nobody answers them.
                .clean([.pong()], receives: []),
                .clean([.pong("unsolicited")], receives: []),
                .clean([.pong("unsolicited"), .ping("asked")], receives: [.pong("asked")]),
                .clean(tenPings, receives: tenPongs),
                .clean(tenPings, .octets(1), receives: tenPongs),
            ])
    }

    // MARK: 3, 4 What is reserved

    private static func reserved(_ bits: UInt8, _ frame: Frame) -> Frame {
        var frame = frame
        frame.reserved = bits
        return frame
    }

    private static var reservedBits: [Case] {
        func betweenOthers(_ bits: UInt8, _ writes: Case.Writes) -> Case {
            .failed(
                [.text("good"), reserved(bits, .text("bad")), .ping()], writes, receives: [.text("good")], with: 1002)
        }
        return Case.numbered(
            "3",
            [
                .failed([reserved(1, .text("bad"))], with: 1002),
                betweenOthers(2, .atOnce), betweenOthers(3, .frameByFrame), betweenOthers(4, .octets(1)),
                .failed([reserved(5, .binary(.octets(5)))], with: 1002),
                .failed([reserved(6, .ping("bad"))], with: 1002),
                .failed([reserved(7, .close(1000))], with: 1002),
            ])
    }

    private static var reservedOpcodes: [Case] {
        func cases(_ opcodes: ClosedRange<UInt8>) -> [Case] {
            let frames = opcodes.enumerated().map { index, opcode in
                Frame(opcode: opcode, payload: index % 2 == 0 ? "" : "reserved")
            }
            return frames[..<2].map { .failed([$0], with: 1002) }
                + zip(frames[2...], [Case.Writes.atOnce, .frameByFrame, .octets(1)]).map { frame, writes in
                    .failed([.text("good"), frame, .ping()], writes, receives: [.text("good")], with: 1002)
                }
        }
        return Case.numbered("4.1", cases(3...7)) + Case.numbered("4.2", cases(11...15))
    }

    // MARK: 5 Fragmentation

    private static var fragmentation: [Case] {
        let everyWay = [Case.Writes.atOnce, .frameByFrame, .octets(1)]
        let (first, last) = (Frame.text("first ", isFinal: false), Frame.continuation("last"))
        let message = Frame.text("first last")
        /// A continuation of nothing, and then a message that comes too late.
        func orphan(isFinal: Bool) -> [Frame] { [.continuation("of nothing", isFinal: isFinal), .text("late")] }
        let twoPings: [Frame] = [
            .text("a", isFinal: false), .continuation("b", isFinal: false), .ping("1"),
            .continuation("c", isFinal: false),
            .continuation("d", isFinal: false), .ping("2"), .continuation("e"),
        ]
        let begunTwice: [Frame] = [.text("a", isFinal: false), .text("b")]
        return Case.numbered(
            "5",
            [
                .failed([Frame(opcode: 9, payload: "first ", isFinal: false), last], with: 1002),
                .failed([Frame(opcode: 10, payload: "first ", isFinal: false), last], with: 1002),
            ]
                + everyWay.map { .clean([first, last], $0, receives: [message]) }
                + everyWay.map { .clean([first, .ping("between"), last], $0, receives: [.pong("between"), message]) }
                + everyWay.map { .failed(orphan(isFinal: true), $0, with: 1002) }
                + everyWay.map { .failed(orphan(isFinal: false), $0, with: 1002) }
                + [
                    .failed([first, last] + orphan(isFinal: false), receives: [message], with: 1002),
                    .failed(orphan(isFinal: false) + orphan(isFinal: false), .frameByFrame, with: 1002),
                    .failed(orphan(isFinal: true) + orphan(isFinal: true), .frameByFrame, with: 1002),
                    .failed(begunTwice, with: 1002),
                    .clean(twoPings, receives: [.pong("1"), .pong("2"), .text("abcde")]),
                    .clean(twoPings, .frameByFrame, receives: [.pong("1"), .pong("2"), .text("abcde")]),
                ])
    }

    // MARK: 7 The closing handshake

    private static let validCodes: [UInt16] = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ]
    private static let invalidCodes: [UInt16] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
    private static let codesBeyondAllRanges: [UInt16] = [5000, 65_535]

    private static var closing: [Case] {
        let end = Frame.close(1000)
        let emptyClose = Frame(opcode: 8, payload: "")
        let quarterMegabyte = Frame.text(.letters(256 * 1_024))
        return Case.numbered(
            "7.1",
            [
                .echo(.text("Hello, world!")),
                // What follows a close frame is not looked at.
                Case(sent: [end, end], writes: .atOnce, received: [end]),
                Case(sent: [end, .ping()], writes: .atOnce, received: [end]),
                Case(sent: [end, .text("late")], writes: .atOnce, received: [end]),
                Case(sent: [.text("a", isFinal: false), end, .continuation("b")], writes: .atOnce, received: [end]),
                Case(sent: [quarterMegabyte, end, .ping()], writes: .atOnce, received: [quarterMegabyte, end]),
            ])
            + Case.numbered(
                "7.3",
                [
                    // Without a code: the answer gives the normal one.
                    Case(sent: [emptyClose], writes: .atOnce, received: [end]),
                    .failed([Frame(opcode: 8, payload: "a")], with: 1002),
                    Case(sent: [end], writes: .atOnce, received: [end]),
                    Case(sent: [.close(1000, "Hello, world!")], writes: .atOnce, received: [end]),
                    Case(sent: [.close(1000, .letters(123))], writes: .atOnce, received: [end]),
                    .failed([.close(1000, .letters(124))], with: 1002),
                ])
            + Case.numbered("7.5", [.failed([.close(1000, Payload(hex: "CEBA E1BDB9 EDA080 65"))], with: 1007)])
            + Case.numbered("7.7", validCodes.map { Case(sent: [.close($0)], writes: .atOnce, received: [.close($0)]) })
            + Case.numbered("7.9", invalidCodes.map { .failed([.close($0)], with: 1002) })
            + Case.numbered("7.13", codesBeyondAllRanges.map { .failed([.close($0)], with: 1002) })
    }

    // MARK: 9, 10 Limits

    private static let kibi = 1_024
    private static let mebi = 1_024 * 1_024

    private static var limits: [Case] {
        let messages = [64 * kibi, 256 * kibi, mebi, 4 * mebi, 8 * mebi, 16 * mebi]
        let fragments = (3...11).map { 1 << (2 * $0) }  // 64 bytes to 4 MiB.
        let writes = (6...11).map { 1 << $0 }  // 64 bytes to 2 KiB.
        let small = [0, 16, 64, 256, kibi, 4 * kibi]

        func fragmented(_ message: Frame) -> [Case] {
            fragments.map { .clean(message.fragments(of: $0), receives: [message]) }
        }
        func chopped(_ message: Frame) -> [Case] { writes.map { .echo(message, .octets($0)) } }
        func repeated(_ message: Frame) -> Case {
            let thousand = Array(repeating: message, count: 1_000)
            return .clean(thousand, receives: thousand)
        }
        return Case.numbered("9.1", messages.map { .echo(.text(.letters($0))) })
            + Case.numbered("9.2", messages.map { .echo(.binary(.octets($0))) })
            + Case.numbered("9.3", fragmented(.text(.letters(4 * mebi))))
            + Case.numbered("9.4", fragmented(.binary(.octets(4 * mebi))))
            + Case.numbered("9.5", chopped(.text(.letters(mebi))))
            + Case.numbered("9.6", chopped(.binary(.octets(mebi))))
            + Case.numbered("9.7", small.map { repeated(.text(.letters($0))) })
            + Case.numbered("9.8", small.map { repeated(.binary(.octets($0))) })
    }

    private static var oddFragments: [Case] {
        let message = Frame.text(.letters(65_536))
        return Case.numbered("10.1", [.clean(message.fragments(of: 1_300), receives: [message])])
    }
}
