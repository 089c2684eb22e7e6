internal import FoxgloveProtocol

/// What a client may do.
package enum Role: String, CaseIterable, Comparable, Sendable {
    /// Sees everything, changes nothing.
    case viewer
    /// Also changes the configuration.
    case `operator`

    package static func < (left: Self, right: Self) -> Bool { left == .viewer && right == .operator }
}

/// Who may log in, and as what: the contents of a token file.
///
/// One entry per line, `ROLE:NAME:SHA256HEX` for a token or `ROLE:NAME:san=SUBJECT` for a client certificate that is
/// issued to this subject alternative name. Blank lines and lines that begin with `#` say nothing.
package struct TokenList: Equatable, Sendable {
    /// Every bound of a token file.
    package struct Limits: Sendable {
        package var fileByteCount = 64 * 1_024
        package var lineCount = 1_024
        /// Names stand in logs.
        package var nameByteCount = 64
        /// As long as a host name can be.
        package var subjectByteCount = 253
        package init() {}
    }

    /// A line that cannot be understood, with a text that names it and the way out.
    package struct Mistake: Error, Equatable {
        package var text: String
    }

    /// Somebody who may log in.
    package struct Entry: Equatable, Sendable {
        package var role: Role
        package var name: String
    }

    private struct Token: Equatable, Sendable {
        var digest: [UInt8]
        var entry: Entry
    }

    static let digestByteCount = 32

    private var tokens: [Token] = []
    /// By subject alternative name, letter for letter: in some kinds of them the case counts.
    private var subjects: [String: Entry] = [:]

    /// Nobody in particular: a list without entries asks nobody to log in.
    package init() {}

    package init(parsing text: [UInt8], limits: Limits = Limits()) throws(Mistake) {
        guard text.count <= limits.fileByteCount else {
            throw Mistake(text: "the file is larger than \(limits.fileByteCount) bytes; remove entries")
        }
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What follows the last line feed is no line.
        guard lines.count - (lines.last?.isEmpty == true ? 1 : 0) <= limits.lineCount else {
            throw Mistake(text: "the file has more than \(limits.lineCount) lines; remove entries")
        }
        for (index, line) in lines.enumerated() {
            do { try add(line, limits) } catch { throw Mistake(text: "line \(index + 1): \(error.text)") }
        }
    }

    package var count: Int { tokens.count + subjects.count }
    package var isEmpty: Bool { count == 0 }

    /// Looks at every byte of every token whatever it finds, so that the time says nothing of what was right.
    /// `difference` is 0 for bytes that are equal.
    func entry(withDigest digest: [UInt8], difference: (UInt8, UInt8) -> UInt8 = { $0 ^ $1 }) -> Entry? {
        guard digest.count == Self.digestByteCount else { return nil }
        var found: Entry?
        for token in tokens {
            var sum: UInt8 = 0
            for index in 0..<Self.digestByteCount { sum |= difference(token.digest[index], digest[index]) }
            if sum == 0 { found = token.entry }
        }
        return found
    }

    /// What a certificate with these names may do; the most, where several of them are listed.
    func entry(withSubjects names: [String]) -> Entry? {
        names.compactMap { subjects[$0] }.max { $0.role < $1.role }
    }

    // MARK: Lines

    private mutating func add(_ line: ArraySlice<UInt8>, _ limits: Limits) throws(Mistake) {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        let bytes = line.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        guard let first = bytes.first, first != UInt8(ascii: "#") else { return }
        guard bytes.allSatisfy({ 0x20...0x7E ~= $0 }) else {
            throw Mistake(text: "there is a character that is not printable ASCII; remove it")
        }
        let fields = String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { throw Mistake(text: "write role:name:sha256hex or role:name:san=subject") }
        guard let role = Role(rawValue: String(fields[0])) else {
            throw Mistake(text: "the role \(quoted(String(fields[0]))) is unknown; write viewer or operator")
        }
        let entry = Entry(role: role, name: try Self.name(fields[1], limits))
        if fields[2].hasPrefix(Self.subjectPrefix) {
            try add(subject: String(fields[2].dropFirst(Self.subjectPrefix.count)), entry, limits)
        } else {
            try add(digest: fields[2], entry)
        }
    }

    private static let subjectPrefix = "san="

    /// Whether `name` can stand in a token file.
    package static func isName(_ name: some StringProtocol, limits: Limits = Limits()) -> Bool {
        (1...limits.nameByteCount).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.@".utf8.contains(byte)
                }
            }
    }

    private static func name(_ text: Substring, _ limits: Limits) throws(Mistake) -> String {
        guard isName(text, limits: limits) else {
            throw Mistake(
                text: "the name \(quoted(String(text))) must be 1 to \(limits.nameByteCount) letters, digits, or -_.@")
        }
        return String(text)
    }

    private mutating func add(digest text: Substring, _ entry: Entry) throws(Mistake) {
        let digits = text.utf8.compactMap(hexDigit)
        guard digits.count == 2 * Self.digestByteCount, text.utf8.count == digits.count else {
            // Not shown: it may be a token that was put here by mistake.
            throw Mistake(
                text: "the third field must be the SHA-256 of a token, 64 hexadecimal digits, or san=subject; "
                    + "`sysmon-agent token new` writes such a line")
        }
        let digest = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        guard !tokens.contains(where: { $0.digest == digest }) else {
            throw Mistake(text: "this token is listed before; remove one of the lines")
        }
        tokens.append(Token(digest: digest, entry: entry))
    }

    private mutating func add(subject: String, _ entry: Entry, _ limits: Limits) throws(Mistake) {
        guard (1...limits.subjectByteCount).contains(subject.utf8.count), !subject.contains(" ") else {
            throw Mistake(
                text: "the subject after san= must be 1 to \(limits.subjectByteCount) characters without blanks")
        }
        guard subjects[subject] == nil else {
            throw Mistake(text: "the subject \(quoted(subject)) is listed before; remove one of the lines")
        }
        subjects[subject] = entry
    }
}
