/// The control groups of a process, from /proc/PID/cgroup (cgroups(7)): lines of `hierarchy:controllers:path`.
package enum ControlGroupPath {
    /// The path in the hierarchy of version 2, or where the process is in none but its root, that of systemd's
    /// hierarchy of version 1; empty: not told.
    @_lifetime(copy text)
    package static func path(parsing text: Span<UInt8>) -> Span<UInt8> {
        let unified = path(parsing: text) { $0.isEmpty }
        guard unified.isEmpty || unified.equals("/") else { return unified }
        let named = path(parsing: text) { $0.equals("name=systemd") }
        return named.isEmpty ? unified : named
    }

    /// The path in the hierarchy of version 2; empty: there is none.
    @_lifetime(copy text)
    package static func unifiedPath(parsing text: Span<UInt8>) -> Span<UInt8> { path(parsing: text) { $0.isEmpty } }

    /// The path in the hierarchy of version 1 that has a controller; empty: there is none.
    @_lifetime(copy text)
    package static func path(parsing text: Span<UInt8>, controller: StaticString) -> Span<UInt8> {
        path(parsing: text) { controllers in
            var start = 0
            for index in 0...controllers.count where index == controllers.count || controllers[index] == 0x2C {
                if controllers.extracting(start..<index).equals(controller) { return true }
                start = index + 1
            }
            return false
        }
    }

    @_lifetime(copy text)
    private static func path(parsing text: Span<UInt8>, where isWanted: (Span<UInt8>) -> Bool) -> Span<UInt8> {
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            guard let first = colon(in: line, from: 0), let second = colon(in: line, from: first + 1),
                isWanted(line.extracting(first + 1..<second))
            else { continue }
            return line.extracting(droppingFirst: second + 1)
        }
        return text.extracting(first: 0)
    }

    private static func colon(in line: Span<UInt8>, from start: Int) -> Int? {
        for index in start..<line.count where line[index] == UInt8(ascii: ":") { return index }
        return nil
    }
}
