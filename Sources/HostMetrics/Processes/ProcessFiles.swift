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
        let number = DecimalText(id)
        path.replace(after: rootByteCount, with: number.bytes)
        folderByteCount = path.byteCount
    }

    /// False: the process is gone, or the file is not for us. That is how it is, and no error.
    mutating func read(_ leaf: StaticString) -> Bool {
        path.replace(after: folderByteCount, with: leaf)
        return reader.read(path)
    }
}
