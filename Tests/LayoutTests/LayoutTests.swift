import Foundation
import HostMetrics
import SysmonAgent
import Testing

/// The layouts that the agent makes, for hosts of all kinds.
@Suite struct LayoutTests {
    private let checker: LayoutChecker

    init() throws { checker = LayoutChecker(schemas: try SchemaPool(root: root)) }

    /// Renewed by `sysmon-agent layout NAME --generic > deploy/layouts/NAME.json`.
    @Test func theShippedLayoutsAreThoseForAGenericHost() throws {
        let shipped = try files(in: root.appending(path: "deploy/layouts"), extension: "json")
        #expect(shipped.map(\.lastPathComponent) == Layout.all.map { "\($0.name).json" }.sorted())
        for layout in Layout.all {
            let file = root.appending(path: "deploy/layouts/\(layout.name).json")
            #expect(try Array(Data(contentsOf: file)) == layout.file(for: .generic), "\(layout.name)")
        }
    }

    @Test(arguments: MadeUpHosts.names + ["generic", "nothing"])
    func everyLayoutIsGoodForEveryHost(_ name: String) throws {
        let host =
            switch name {
            case "generic": HostOutline.generic
            case "nothing": HostOutline(topics: ["/log", "/config"])
            default: try MadeUpHosts.outline(name)
            }
        for layout in Layout.all {
            let file = try LayoutFile(layout, for: host)
            let problems = checker.problems(in: file.json)
            #expect(problems.isEmpty, "\(layout.name): \(problems.joined(separator: "\n"))")
            #expect(file.tabs.last == "Control")
            for path in file.paths {
                let topic = String(path.prefix { $0 != "." })
                #expect(host.topics.contains(topic), "\(layout.name): \(path)")
            }
            for (id, config) in file.configs {
                #expect(config["paths"]?.array?.count ?? 0 <= 8, "\(layout.name): \(id)")
                if let patch = config["value"]?.text {
                    var configuration = Agent.defaultConfiguration(allCollectors)
                    let old = configuration
                    try configuration.apply(patch: Array(patch.utf8))
                    #expect(configuration != old, "\(layout.name): \(patch)")
                }
            }
            // What a window of 1440 by 900 has left for a tab.
            for (id, size) in file.sizes(width: 1_440, height: 770) {
                #expect(size.width >= 180 && size.height >= 120, "\(layout.name): \(id) \(size)")
            }
        }
    }

    // MARK: What the host has

    @Test func linesAreThoseOfTheHost() throws {
        let laptop = try MadeUpHosts.outline("laptop")
        let overview = try LayoutFile(.named("overview"), for: laptop)
        #expect(overview.legend("CPU by CPU") == (0..<8).map { "CPU \($0)" })
        #expect(overview.legend("Disks") == ["nvme0n1 read", "nvme0n1 written", "dm-0 read", "dm-0 written"])
        #expect(overview.paths.contains(#"/net.interfaces[:]{id=="wlp0s20f3"}.rx_bytes_per_second"#))
        #expect(overview.legend("Filesystems") == ["/", "/boot/efi", "/run"])
        let sensors = try LayoutFile(.named("sensors"), for: laptop)
        #expect(sensors.tabs == ["Heat", "Power", "Control"])
        #expect(sensors.paths.contains(#"/power.supplies[:]{id=="BAT0"}.capacity_ratio"#))
        // Of the adapter there is nothing to draw.
        #expect(!sensors.paths.contains { $0.contains(#"id=="AC""#) })
        #expect(sensors.legend("Fans") == ["thinkpad-isa-0000/fan1", "thinkpad-isa-0000/fan2"])
        // The processor's own come first; the ninth line has no room.
        #expect(
            sensors.legend("Temperatures") == [
                "hottest", "coretemp Package id 0", "coretemp Core 0", "coretemp Core 1", "coretemp Core 2",
                "coretemp Core 3", "acpitz-virtual-0/temp1", "nvme Composite",
            ])
    }

    @Test func aLargeHostHasLinesOfWhatMattersMost() throws {
        let server = try MadeUpHosts.outline("server-64cpu")
        let cpu = try LayoutFile(.named("cpu"), for: server)
        #expect(cpu.legend("CPU by CPU") == (0..<8).map { "CPU \($0)" })
        let sensors = try LayoutFile(.named("sensors"), for: server)
        // Two of one name.
        #expect(sensors.legend("Temperatures").contains("k10temp-pci-00c3/temp1"))
        #expect(sensors.legend("Temperatures").contains("k10temp-pci-40c3/temp1"))
        #expect(sensors.legend("Power") == ["power_meter-acpi-0/power1"])
        let network = try LayoutFile(.named("network"), for: server)
        #expect(network.legend("Network").count == 8 && network.legend("Lost packets").count == 8)
        // Neither the loopback nor those of guests, which are busier.
        #expect(
            Set(network.legend("Network").compactMap { $0.split(separator: " ").first })
                == ["ens1f0np0", "eno1", "bond0", "bond0.120"])
    }

    @Test func aContainerHasNoPanelsOfWhatItLacks() throws {
        let container = try MadeUpHosts.outline("container")
        #expect(try LayoutFile(.named("sensors"), for: container).tabs == ["Control"])
        let overview = try LayoutFile(.named("overview"), for: container)
        #expect(overview.configs.keys.contains("Plot!network"))
        #expect(!overview.configs.keys.contains("Plot!disks"))
        #expect(!overview.configs.keys.contains("Indicator!hottest-sensor"))
    }

    @Test func theOwnersChoiceOfEntriesCounts() throws {
        var settings = EntrySettings()
        settings.include = try Pattern("end.*")
        let host = try MadeUpHosts.outline("arm-sbc") { $0.entrySettings["/net"] = settings }
        #expect(try LayoutFile(.named("overview"), for: host).legend("Network") == ["end0 received", "end0 sent"])
    }

    // MARK: Entries

    private func outline(_ topic: String, _ json: String) -> HostOutline {
        var outline = HostOutline(topics: [topic])
        outline.add(Array(json.utf8), of: topic)
        return outline
    }

    @Test(arguments: [
        ("eth0", true), ("eth0:1", true), ("cciss!c0d0", true), ("o'brien {x}", true), ("caf\u{E9}", true),
        ("\u{FFFD}0", true), (String(repeating: "x", count: 128), true), (String(repeating: "x", count: 129), false),
        ("", false), (#"a\"b"#, false), (#"a\\b"#, false), (#"a\nb"#, false), (#"a\u007fb"#, false),
    ])
    func onlyIdsThatAPathCanCarryHaveLines(_ id: String, _ isGood: Bool) throws {
        let outline = outline("/net", #"{"interfaces": [{"id": "\#(id)"}, {"id": "eth9"}]}"#)
        let network = try LayoutFile(.named("network"), for: outline)
        #expect(network.legend("Network").count == (isGood ? 4 : 2))
        #expect(checker.problems(in: network.json).isEmpty)
        if isGood { #expect(outline.entries["/net.interfaces"]?.first?.filter == #"id=="\#(id)""#) }
    }

    @Test func whatMattersMostComesFirst() {
        let net = outline(
            "/net",
            #"""
            {"interfaces": [{"id": "lo", "rx_bytes_total": 9000}, {"id": "veth1", "rx_bytes_total": 90},
            {"id": "a", "rx_bytes_total": 5},
            {"id": "b", "rx_bytes_total": 3, "tx_bytes_total": 4}, {"id": "c"}, {"id": "d", "tx_bytes_total": 5}]}
            """#)
        #expect(net.entries["/net.interfaces"]?.map(\.name) == ["b", "a", "d", "c", "veth1", "lo"])
        let disk = outline(
            "/disk",
            #"{"devices": [{"id": "dm-0", "read_bytes_total": 7}, {"id": "a"}, {"id": "b", "write_bytes_total": 1}]}"#)
        #expect(disk.entries["/disk.devices"]?.map(\.name) == ["b", "a", "dm-0"])
        let filesystem = outline(
            "/filesystem",
            #"""
            {"filesystems": [{"id": "/a", "size_bytes": 7}, {"id": "/b"}, {"id": "/"}, {"id": "/c", "size_bytes": 9}]}
            """#)
        #expect(filesystem.entries["/filesystem.filesystems"]?.map(\.name) == ["/", "/c", "/a", "/b"])
        let cores = outline("/cpu/cores", #"{"cores": [{"id": 3}]}"#)
        #expect(cores.entries["/cpu/cores.cores"]?.map(\.filter) == ["id==3"])
    }

    @Test(arguments: ["", "[]", "{", #"{"interfaces": 1}"#, #"{"interfaces": [1, {}, {"id": null}, {"id": 0.5}]}"#])
    func whatIsNoListGivesNoEntries(_ json: String) {
        #expect(outline("/net", json).entries["/net.interfaces"] ?? [] == [])
    }

    // MARK: Colours

    /// By the definition of WCAG 2.
    @Test func coloursCanBeSeenOnBothThemes() throws {
        func luminance(_ color: String) throws -> Double {
            let value = try #require(Int(color.dropFirst(), radix: 16))
            let parts = [16, 8, 0].map { shift -> Double in
                let part = Double(value >> shift & 255) / 255
                return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
        }
        func contrast(_ left: String, _ right: String) throws -> Double {
            let (a, b) = (try luminance(left), try luminance(right))
            return (max(a, b) + 0.05) / (min(a, b) + 0.05)
        }
        var colors: Set<String> = []
        for layout in Layout.all {
            for config in try LayoutFile(layout, for: .generic).configs.values {
                let lines = (config["paths"]?.array ?? []).compactMap { $0["color"]?.text }
                #expect(Set(lines).count == lines.count)
                colors.formUnion(lines + (config["rules"]?.array ?? []).compactMap { $0["color"]?.text })
            }
        }
        #expect(colors.count == 8)
        for color in colors {
            for background in ["#ffffff", "#15151a"] {
                #expect(try contrast(color, background) >= 3, "\(color) on \(background)")
            }
        }
    }
}
