internal import Glibc

/// An extended regular expression (POSIX, regex(7)) that a whole id must match.
///
/// Bounded, so that no pattern can take long: at most ``Limits/patternByteCountMax`` bytes, and neither back references
/// nor counted repetitions, the two things that make the C library's matcher take exponential time or memory.
package struct Pattern: Equatable, Sendable {
    /// Why a text is no pattern, in words that follow the text.
    package struct Fault: Error, Equatable, Sendable {
        package var text: String
    }

    package let text: String

    package init(_ text: String) throws(Fault) {
        guard text.utf8.count <= Limits.patternByteCountMax else {
            throw Fault(text: "is longer than \(Limits.patternByteCountMax) bytes")
        }
        guard !text.utf8.contains(0) else { throw Fault(text: "has a NUL") }
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped, byte >= UInt8(ascii: "1"), byte <= UInt8(ascii: "9") {
                throw Fault(text: "has a back reference")
            }
            if !isEscaped, byte == UInt8(ascii: "{") { throw Fault(text: "has a counted repetition") }
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        guard PatternMatcher(text) != nil else { throw Fault(text: "is not an extended regular expression") }
        self.text = text
    }
}

/// A compiled pattern.
@safe
final class PatternMatcher {
    private let expression: UnsafeMutablePointer<regex_t>

    /// Nil: the text is no regular expression.
    init?(_ text: String) {
        // Twice: the pattern by itself, so that no bracket of it closes ours.
        guard let alone = unsafe Self.compile(text) else { return nil }
        unsafe Self.free(alone)
        guard let anchored = unsafe Self.compile("^(\(text))$") else { return nil }
        unsafe expression = anchored
    }

    private static func compile(_ text: String) -> UnsafeMutablePointer<regex_t>? {
        let expression = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        unsafe expression.initialize(to: regex_t())
        guard unsafe regcomp(expression, text, REG_EXTENDED | REG_NOSUB) == 0 else {
            unsafe expression.deallocate()
            return nil
        }
        return unsafe expression
    }

    private static func free(_ expression: UnsafeMutablePointer<regex_t>) {
        unsafe regfree(expression)
        unsafe expression.deallocate()
    }

    deinit { unsafe Self.free(expression) }

    func matches(_ text: Span<UInt8>) -> Bool {
        var characters: [CChar] = []
        for index in text.indices { characters.append(CChar(bitPattern: text[index])) }
        characters.append(0)
        return unsafe regexec(expression, characters, 0, nil, 0) == 0
    }
}
