import Foundation
import Testing

/// House rules that neither the compiler nor swift-format knows. `HouseRules` holds what they allow.
@Suite struct TidyTests {
    private let sources: [SourceFile]

    init() throws {
        sources = try SourceFile.all(below: ["Sources"], endings: ["swift"])
        try #require(sources.contains { $0.path == "Sources/Telemetry/Time.swift" })
    }

    @Test func importsPointDown() {
        for file in sources {
            guard let target = file.target, let allowed = HouseRules.layers[target] else {
                Issue.record("\(file.path): its target has no line in HouseRules.layers")
                continue
            }
            for module in file.imports where !allowed.contains(module) {
                Issue.record("\(file.path) imports \(module), which \(target) may not")
            }
        }
    }

    @Test func linesAreNotTooLong() throws {
        let endings: Set = ["swift", "h", "proto", "sh", "py"]
        let folders = ["Sources", "Tests", "benchmarks", "proto", "deploy"]
        for file in try SourceFile.all(below: folders, endings: endings) where !file.isGenerated {
            for (index, line) in file.lines.enumerated() where line.count > HouseRules.lineLength {
                Issue.record("\(file.path):\(index + 1): \(line.count) characters")
            }
        }
    }

    @Test func unsafeCodeStaysInItsPlaces() {
        for file in sources where !file.isGenerated {
            let path = file.path.dropFirst("Sources/".count)
            guard !HouseRules.unsafePlaces.contains(where: { path == $0 || $0.hasSuffix("/") && path.hasPrefix($0) })
            else { continue }
            for line in file.lines(with: /\bunsafe\b/) {
                Issue.record("\(file.path):\(line): unsafe outside HouseRules.unsafePlaces")
            }
        }
    }

    @Test func nothingIsForced() {
        for file in sources {
            for line in file.lines(with: /\b(?:try|as)!/) { Issue.record("\(file.path):\(line): try! or as!") }
        }
    }

    /// The configuration refuses what a collector does not declare.
    @Test func collectorsDeclareTheSettingsTheyRead() {
        let collectors = sources.filter { $0.path.hasPrefix("Sources/HostMetrics/Collectors/") }
        #expect(collectors.count > 40)
        for file in collectors {
            let reads = !file.lines(with: /host\.settings\(of: Self\.topic\)/).isEmpty
            let declares = !file.lines(with: /static let entrySettings/).isEmpty
            #expect(reads == declares, "\(file.path): entrySettings and what is read differ")
        }
    }

    @Test func librariesDoNotPrint() {
        for file in sources where !HouseRules.programs.contains(file.target ?? "") {
            for line in file.lines(with: /\b(?:debugPrint|print|dump)\(/) {
                Issue.record("\(file.path):\(line): print")
            }
        }
    }

    @Test func filesHaveNames() throws {
        for file in try SourceFile.all(below: ["Sources", "Tests", "benchmarks"], endings: ["swift"]) {
            #expect(file.name != "x.swift", "\(file.path): name it for what it holds")
        }
    }

    // MARK: The rules find what they should

    @Test func importsAreRead() {
        let file = SourceFile(
            path: "Sources/A/B.swift",
            text: """
                import Plain
                @_exported public import CThing
                @testable package import Other
                @_spi(Some) internal import struct Module.Name
                // import Comment
                let important = 1
                """)
        #expect(file.imports == ["Plain", "CThing", "Other", "Module"])
        #expect(file.target == "A")
    }

    @Test func commentsAndStringsAreNoCode() {
        let code = codeLines(
            of: #"""
                a // unsafe
                b /* unsafe /* unsafe */
                unsafe */ c
                "unsafe \" unsafe" + d
                #"unsafe " unsafe"# + e
                """
                unsafe " unsafe
                """ + f
                unsafe g
                """#)
        #expect(code.map { $0.contains("unsafe") } == Array(repeating: false, count: 8) + [true])
        #expect(code[2].contains("c") && code[3].contains("d") && code[4].contains("e") && code[7].contains("f"))
    }
}
