import Foundation

/// `Tests/GPU/nvml_stub.c`, compiled: a library that stands in for NVIDIA's.
struct NvidiaStub {
    /// A C compiler is wherever Swift is, since Swift links with it; nil: none is on the PATH.
    static let compiler: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let places = ["clang", "cc", "gcc"].flatMap { name in folders.map { "\($0)/\(name)" } }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    let library: String
    private let folder: TemporaryDirectory

    /// `isOld`: without the functions that came late.
    init(isOld: Bool = false) throws {
        folder = try TemporaryDirectory()
        library = folder.path + "/libnvidia-ml.so.1"
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("GPU/nvml_stub.c")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.compiler ?? "/usr/bin/cc")
        process.arguments =
            ["-shared", "-fPIC", "-w", "-DFOLDER=\"\(folder.path)\"", source.path, "-o", library]
            + (isOld ? ["-DOLD"] : [])
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }

    func set(_ state: String) throws { try folder.write("", to: state) }
    func clear(_ state: String) throws { try folder.remove(state) }

    /// What was called since the last time.
    func takeCalls() -> [String] {
        let file = folder.url.appendingPathComponent("calls")
        let calls = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
        try? FileManager.default.removeItem(at: file)
        return calls
    }
}
