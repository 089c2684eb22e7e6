/// Category 6: text is UTF-8 (RFC 3629), however it is cut, and what is not ends the connection with 1007.
///
/// The server looks at a message when it is whole, which the standard allows; it need not end the connection at the
/// first wrong byte.
extension Category {
    static var utf8: [Case] {
        Case.numbered("6.1", emptyFragments) + Case.numbered("6.2", validInFragments)
            + Case.numbered("6.3", invalidInFragments) + Case.numbered("6.4", beyondTheLastInPieces)
            + sequences.enumerated().flatMap { index, group in
                Case.numbered(
                    "6.\(index + 5)",
                    group.map { sequence, isValid in
                        isValid ? .echo(.text(sequence)) : .failed([.text(sequence)], with: 1007)
                    })
            }
    }

    private static let greeting = Payload("Grüße, κόσμε, 世界, 𝄞!")
    private static let kosmos = Payload(hex: "CEBA E1BDB9 CF83 CEBC CEB5")
    /// A surrogate between characters.
    private static let broken = Payload(hex: "CEBA E1BDB9 CF83 CEBC CEB5 EDA080 656469746564")

    private static var emptyFragments: [Case] {
        [
            .echo(.text("")),
            .clean(
                [.text("", isFinal: false), .continuation("", isFinal: false), .continuation("")], receives: [.text("")]
            ),
            .clean(
                [.text("", isFinal: false), .continuation("middle", isFinal: false), .continuation("")],
                receives: [.text("middle")]),
        ]
    }

    private static var validInFragments: [Case] {
        let first = "Grüße, κό".utf8.count
        return [
            .echo(.text(greeting)),
            .clean(Frame.text(greeting).fragments(of: first), receives: [.text(greeting)]),
            .clean(Frame.text(greeting).fragments(of: 1), receives: [.text(greeting)]),
            .clean(Frame.text(kosmos).fragments(of: 1), receives: [.text(kosmos)]),
        ]
    }

    private static var invalidInFragments: [Case] {
        [.failed([.text(broken)], with: 1007), .failed(Frame.text(broken).fragments(of: 1), with: 1007)]
    }

    /// U+110000, one beyond the last code point, in fragments and in writes: whole, and cut after its first two bytes,
    /// where it can be told.
    private static var beyondTheLastInPieces: [Case] {
        let message = Frame.text(Payload(hex: "CEBA F4908080 6564"))
        let whole = [
            Frame.text(Payload(hex: "CEBA"), isFinal: false), .continuation(Payload(hex: "F4908080"), isFinal: false),
            .continuation(Payload(hex: "6564")),
        ]
        let cut = [
            Frame.text(Payload(hex: "CEBA F4"), isFinal: false), .continuation(Payload(hex: "90"), isFinal: false),
            .continuation(Payload(hex: "8080 6564")),
        ]
        return [
            .failed(whole, .frameByFrame, with: 1007), .failed(cut, .frameByFrame, with: 1007),
            // Six bytes of header, two of text: the second write is the wrong character.
            .failed([message], .octets(4), with: 1007), .failed([message], .octets(1), with: 1007),
        ]
    }

    private typealias Sequence = (Payload, isValid: Bool)

    private static func valid(_ sequences: String...) -> [Sequence] { sequences.map { (Payload(hex: $0), true) } }
    private static func invalid(_ sequences: String...) -> [Sequence] { sequences.map { (Payload(hex: $0), false) } }

    /// Groups 6.5 to 6.23.
    private static var sequences: [[Sequence]] {
        [
            // 5: one character of each length, and a word.
            ["hello$world", "hello¢world", "hello€world", "hello𤭢world"].map { (Payload($0), true) } + [(kosmos, true)],
            // 6: prefixes of a word, which are text where a character ends.
            (1...11).map { (kosmos.part(0..<$0), [2, 5, 7, 9, 11].contains($0)) },
            // 7, 8: the first of each length; five and six bytes are no UTF-8 any more.
            valid("00", "C280", "E0A080", "F0908080"), invalid("F888808080", "FC8480808080"),
            // 9, 10: the last of each length.
            valid("7F", "DFBF", "EFBFBF", "F48FBFBF"), invalid("F7BFBFBF", "FBBFBFBFBF", "FDBFBFBFBFBF"),
            // 11: around the surrogates and the end.
            valid("ED9FBF", "EE8080", "EFBFBD", "F48FBFBF") + invalid("F4908080"),
            // 12: continuation bytes that continue nothing.
            invalid("80", "BF", "80BF", "80BF80", "80BF80BF", "80BF80BF80", "80BF80BF80BF")
                + [(Payload(Array(0x80...0xBF)), false)],
            // 13: first bytes of two to six, each followed by a blank.
            [0xC0...0xDF, 0xE0...0xEF, 0xF0...0xF7, 0xF8...0xFB, 0xFC...0xFD].map { (firstBytes: ClosedRange<UInt8>) in
                (Payload(firstBytes.flatMap { [$0, 0x20] }), false)
            },
            // 14: the last byte is missing; 15: all of these together.
            invalid(lastByteMissing), [(Payload(lastByteMissing.flatMap { Payload(hex: $0).bytes }), false)],
            // 16: bytes that never stand in UTF-8.
            invalid("FE", "FF", "FEFEFFFF"),
            // 17 to 19: too long for a slash, for the last of what a shorter form holds, for NUL.
            invalid("C0AF", "E080AF", "F08080AF", "F8808080AF", "FC80808080AF"),
            invalid("C1BF", "E09FBF", "F08FBFBF", "F887BFBFBF", "FC83BFBFBFBF"),
            invalid("C080", "E08080", "F0808080", "F880808080", "FC8080808080"),
            // 20, 21: surrogates, single and in pairs.
            invalid("EDA080", "EDADBF", "EDAE80", "EDAFBF", "EDB080", "EDBE80", "EDBFBF"),
            ["EDA080", "EDADBF", "EDAE80", "EDAFBF"].flatMap { high in
                ["EDB080", "EDBFBF"].map { (Payload(hex: high + $0), false) }
            },
            // 22: code points that are no characters, but may be sent: the last two of each plane.
            (0...16).flatMap { plane in [0xFFFE, 0xFFFF].map { scalar(plane << 16 | $0) } },
            // 23: the specials.
            (0xFFF9...0xFFFF).map(scalar),
        ]
    }

    private static let lastByteMissing = [
        "C0", "E080", "F08080", "F8808080", "FC80808080", "DF", "EFBF", "F7BFBF", "FBBFBFBF", "FDBFBFBFBF",
    ]
    private static func invalid(_ sequences: [String]) -> [Sequence] { sequences.map { (Payload(hex: $0), false) } }

    /// The UTF-8 of a code point from U+0800 on, made by hand: it is not the standard library that is to be tested.
    private static func scalar(_ code: Int) -> Sequence {
        let low = [UInt8(0x80 | code >> 6 & 0x3F), UInt8(0x80 | code & 0x3F)]
        return code < 0x1_0000
            ? (Payload([UInt8(0xE0 | code >> 12)] + low), true)
            : (Payload([UInt8(0xF0 | code >> 18), UInt8(0x80 | code >> 12 & 0x3F)] + low), true)
    }
}
