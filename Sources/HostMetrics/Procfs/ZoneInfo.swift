/// What is used of /proc/zoneinfo: the pages below which the kernel begins to reclaim.
package enum ZoneInfo {
    /// The sum of the lines `low N`.
    package static func lowPageCount(parsing text: Span<UInt8>) -> Int128 {
        var pages: Int128 = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            cursor.skipBlanks()
            if cursor.skip("low"), ByteCursor.isBlank(cursor.next), case .value(let count) = cursor.unsigned() {
                cursor.skipBlanks()
                if cursor.isAtLineEnd { pages += Int128(count) }
            }
            cursor.skipLine()
        }
        return pages
    }
}
