/// What is kept of a list of units.
struct SystemdSummary {
    /// A unit that is told of by name.
    struct ListedUnit {
        var id: String
        var state: UnitState?
        var subState: String
        /// Of its D-Bus object.
        var path: String
        var isIncluded: Bool
    }

    struct Counts: Equatable {
        var all = 0
        /// By the place of the state in its enumeration.
        private var byState = [Int](repeating: 0, count: UnitState.allCases.count)

        subscript(state: UnitState) -> Int { UnitState.allCases.firstIndex(of: state).map { byState[$0] } ?? 0 }

        mutating func add(_ state: UnitState?) {
            all += 1
            if let state, let place = UnitState.allCases.firstIndex(of: state) { byState[place] += 1 }
        }
    }

    /// Of a text that no unit type makes as long.
    static let subStateByteCountMax = 64

    private let listedCountMax: Int
    private(set) var counts = Counts()
    private(set) var countsByType: [UnitType: Counts] = [:]
    private var failed: [ListedUnit] = []
    private var included: [ListedUnit] = []
    private(set) var suppressedCount = 0
    /// Names that no unit can have.
    private(set) var parseErrorCount = 0

    /// `listedCountMax`: units that are told of by name.
    init(listedCountMax: Int) { self.listedCountMax = listedCountMax }

    mutating func add(_ unit: borrowing SystemdUnit, filter: inout SystemdFilter) {
        guard unit.isNamed, let type = unit.type else {
            parseErrorCount += 1
            return
        }
        let state = unit.state
        counts.add(state)
        countsByType[type, default: Counts()].add(state)
        let isIncluded = filter.includes(unit.id)
        guard isIncluded || state == .failed && !filter.excludes(unit.id) else { return }
        guard (state == .failed ? failed.count : included.count) < listedCountMax else {
            suppressedCount += 1
            return
        }
        let listed = ListedUnit(
            id: Self.text(unit.id), state: state,
            subState: Self.text(unit.subState.extracting(first: Self.subStateByteCountMax)),
            path: Self.text(unit.path), isIncluded: isIncluded)
        if state == .failed { failed.append(listed) } else { included.append(listed) }
    }

    /// Where not all fit, those that failed come first; by name, each once.
    mutating func takeListed() -> [ListedUnit] {
        let all = failed + included
        suppressedCount += max(0, all.count - listedCountMax)
        var listed: [ListedUnit] = []
        for unit in all.prefix(listedCountMax).sorted(by: { $0.id < $1.id }) where listed.last?.id != unit.id {
            listed.append(unit)
        }
        return listed
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
}

/// Which units are told of by name: those that the host's owner includes, and those that failed unless excluded.
struct SystemdFilter {
    private var chosen: EntryFilter?
    private var others: EntryFilter

    init(_ settings: EntrySettings) {
        chosen = settings.include == nil ? nil : EntryFilter(settings)
        others = EntryFilter(include: nil, exclude: settings.exclude)
    }

    mutating func includes(_ id: Span<UInt8>) -> Bool { chosen?.admits(id) ?? false }
    mutating func excludes(_ id: Span<UInt8>) -> Bool { !others.admits(id) }
}
