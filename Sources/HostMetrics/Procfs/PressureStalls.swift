/// What a file of /proc/pressure says: two lines of averages in percent and a total in microseconds.
///
///     some avg10=1.72 avg60=0.83 avg300=0.56 total=402142655
///     full avg10=0.00 avg60=0.00 avg300=0.00 total=0
package struct PressureStalls: KernelText {
    /// One line; NaN and nil: not told.
    package struct Line: Sendable {
        package var average10 = Double.nan
        package var average60 = Double.nan
        package var average300 = Double.nan
        package var totalMicroseconds: UInt64?

        fileprivate var isEmpty: Bool {
            totalMicroseconds == nil && average10.isNaN && average60.isNaN && average300.isNaN
        }
    }

    package private(set) var some = Line()
    package private(set) var full = Line()
    package private(set) var parseErrorCount = 0

    package init() {}

    package var isEmpty: Bool { some.isEmpty && full.isEmpty }

    package mutating func parse(_ text: Span<UInt8>) {
        self = PressureStalls()
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let kind = cursor.token()
            if kind.equals("some") {
                some = line(&cursor)
            } else if kind.equals("full") {
                full = line(&cursor)
            } else if !kind.isEmpty {
                parseErrorCount += 1
            }
            cursor.skipLine()
        }
    }

    private mutating func line(_ cursor: inout ByteCursor) -> Line {
        var line = Line()
        cursor.skipBlanks()
        while !cursor.isAtLineEnd {
            if cursor.skip("avg10=") {
                line.average10 = decimal(&cursor)
            } else if cursor.skip("avg60=") {
                line.average60 = decimal(&cursor)
            } else if cursor.skip("avg300=") {
                line.average300 = decimal(&cursor)
            } else if cursor.skip("total=") {
                line.totalMicroseconds = unsigned(&cursor)
            } else {
                // Whatever later kernels tell as well.
                cursor.skipToken()
            }
            cursor.skipBlanks()
        }
        return line
    }

    private mutating func decimal(_ cursor: inout ByteCursor) -> Double {
        if case .value(let value) = cursor.decimal() { return value }
        parseErrorCount += 1
        return .nan
    }

    private mutating func unsigned(_ cursor: inout ByteCursor) -> UInt64? {
        if case .value(let value) = cursor.unsigned() { return value }
        parseErrorCount += 1
        return nil
    }
}
