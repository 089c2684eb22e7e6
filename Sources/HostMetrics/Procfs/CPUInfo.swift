/// What is used of /proc/cpuinfo, whose lines differ from one architecture to the next.
package struct CPUInfo: KernelText {
    /// Keys that name the model, the best first.
    private static let modelKeys: [5 of StaticString] = ["model name", "Model", "cpu model", "uarch", "Hardware"]

    private struct Core: Equatable {
        var package: UInt64
        var core: UInt64
    }

    private var models: [5 of [UInt8]] = .init(repeating: [])
    /// A bit for each model key that was seen: the first processor that has it counts.
    private var seenModels: UInt8 = 0
    private var cores: [Core] = []
    private var packages: [UInt64] = []

    package init() {}

    /// The model's name as it was read; empty: none.
    package var model: [UInt8] {
        for index in 0..<5 where !models[index].isEmpty { return models[index] }
        return []
    }

    /// Distinct pairs of package and core; 0: not told.
    package var coreCount: Int { cores.count }
    package var packageCount: Int { packages.count }

    package mutating func parse(_ text: Span<UInt8>) {
        for index in 0..<5 { models[index].removeAll(keepingCapacity: true) }
        seenModels = 0
        cores.removeAll(keepingCapacity: true)
        packages.removeAll(keepingCapacity: true)
        var hasProcessor = false
        var package: UInt64?
        var core: UInt64?
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            var colon = 0
            while colon < line.count, line[colon] != UInt8(ascii: ":") { colon += 1 }
            let key = line.extracting(first: colon).trimmed
            let isBlank = colon == line.count && key.isEmpty
            if isBlank || (hasProcessor && key.equals("processor")) {
                add(package, core)
                (package, core, hasProcessor) = (nil, nil, false)
            }
            guard colon < line.count else { continue }
            let value = line.extracting(droppingFirst: colon + 1).trimmed
            if key.equals("processor") { hasProcessor = true }
            if key.equals("physical id"), package == nil { package = value.unsignedValue }
            if key.equals("core id"), core == nil { core = value.unsignedValue }
            for index in 0..<5 where seenModels & (1 << index) == 0 && key.equals(Self.modelKeys[index]) {
                seenModels |= 1 << index
                for offset in value.indices { models[index].append(value[offset]) }
            }
        }
        add(package, core)
    }

    private mutating func add(_ package: UInt64?, _ core: UInt64?) {
        guard let package else { return }
        if !packages.contains(package) { packages.append(package) }
        guard let core else { return }
        let pair = Core(package: package, core: core)
        if !cores.contains(pair) { cores.append(pair) }
    }
}
