/// A page of the manual in the macros of man(7), as `man -l` shows it.
struct ManualPage {
    private(set) var text: String
    /// A paragraph begins by itself below it.
    private var isBelowHeading = false

    init(_ name: String, section: Int, title: String, summary: String) {
        text = """
            .\\" Made by sysmon-agent manual \(section).
            .TH \(name.uppercased()) \(section) \(agentDate) "sysmon-agent \(agentVersion)" "\(title)"
            .SH NAME
            \(Self.escaped(name)) \\- \(Self.escaped(summary))

            """
    }

    mutating func section(_ heading: String) {
        text += ".SH \(Self.escaped(heading))\n"
        isBelowHeading = true
    }

    mutating func subsection(_ heading: String) {
        text += ".SS \"\(Self.escaped(heading))\"\n"
        isBelowHeading = true
    }

    mutating func paragraph(_ text: String) {
        self.text += (isBelowHeading ? "" : ".PP\n") + Self.filled(text)
        isBelowHeading = false
    }

    /// A term in bold, and what it means below.
    mutating func entry(_ term: String, _ text: String) {
        isBelowHeading = false
        self.text += ".TP\n.B \"\(Self.escaped(term).replacing("\"", with: "\\(dq"))\"\n\(Self.filled(text))"
    }

    /// Lines that stay as they are.
    mutating func example(_ lines: String) {
        text += ".PP\n.RS 4\n.EX\n"
        for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
            text += Self.escaped(String(line)) + "\n"
        }
        text += ".EE\n.RE\n"
    }

    /// Lines of a length that people can edit.
    private static func filled(_ text: String) -> String {
        let words = text.replacing("\n", with: " ")
        return escaped(String(wrapped(words, indent: "", width: 70).dropLast())) + "\n"
    }

    /// Text that means nothing else: dashes that can be copied, no escapes, no requests.
    private static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return plain.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
        }.joined(separator: "\n")
    }
}
