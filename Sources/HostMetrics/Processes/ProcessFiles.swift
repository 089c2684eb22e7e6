/// The files of one process after the other.
struct ProcessFiles: ~Copyable {
    private var path: FilePath
    private let rootByteCount: Int
    private var folderByteCount = 0
    private var reader = FileReader()

    init(procfs: String) {
        path = FilePath("\(procfs)/")
        rootByteCount = path.byteCount
    }

    /// What was read last.
    var text: Span<UInt8> {
        @_lifetime(borrow self) get { reader.text }
    }

    /// Turns to a process.
    mutating func open(_ id: UInt32) {
        var digits: [10 of UInt8] = .init(repeating: 0)
        var start = digits.count
        var rest = id
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        path.replace(after: rootByteCount, with: digits.span.extracting(droppingFirst: start))
        folderByteCount = path.byteCount
    }

    /// False: the process is gone, or the file is not for us. That is how it is, and no error.
    mutating func read(_ leaf: StaticString) -> Bool {
        path.replace(after: folderByteCount, with: leaf)
        return reader.read(path)
    }
}
