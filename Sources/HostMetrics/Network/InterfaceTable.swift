/// What is known of an interface beside its counters; changes rarely.
package struct LinkAttributes: Equatable, Sendable {
    /// RFC 2863 as the kernel numbers it (linux/if.h, IF_OPER_*), which is how the schema does too.
    package enum OperState: UInt8, Sendable {
        case unknown, notPresent, down, lowerLayerDown, testing, dormant, up

        var isDown: Bool { self == .down || self == .lowerLayerDown || self == .notPresent }
    }

    package enum Duplex: UInt8, Sendable { case unknown, half, full }

    /// 0: not known.
    package var index: UInt32 = 0
    package var operState = OperState.unknown
    package var duplex = Duplex.unknown
    /// NaN: not known.
    package var speedBitsPerSecond = Double.nan
    /// NaN: not known.
    package var mtuBytes = Double.nan
    package var carrierChanges: UInt64 = 0
    /// Whether there is a device behind it.
    package var isPhysical = false

    package init() {}
}

/// What happened to an interface, by its name.
package enum LinkEvent: Equatable, Sendable {
    case appeared([UInt8])
    case vanished([UInt8])
    /// It was up and went down.
    case lost([UInt8])
}

/// The interfaces of a host, in the order in which they are published: by index, unknown index last.
package struct InterfaceTable {
    package struct Entry {
        package var name: [UInt8]
        package var attributes: LinkAttributes
        package var counters = InterfaceCounters()
        /// Whether every counter could be read.
        package var isComplete = true
        /// Changes when another interface takes the name, or the interface another name.
        package var identity: UInt64
        /// The last reading that had it.
        package var reading: UInt64 = 0
        /// Its place in the last reading, which orders those without index.
        var position: UInt64 = 0

        @inline(__always)
        fileprivate mutating func set(
            _ counters: InterfaceCounters, isComplete: Bool, reading: UInt64, position: UInt64
        ) {
            self.counters = counters
            self.isComplete = isComplete
            self.reading = reading
            self.position = position
        }
    }

    package private(set) var entries: [Entry] = []
    /// Counts changes of names and order.
    package private(set) var generation: UInt64 = 0
    /// Counts readings of the counters.
    package private(set) var reading: UInt64 = 0
    /// What happened since ``removeEvents()``: the first of it, and how much more there was.
    package private(set) var events: [LinkEvent] = []
    package private(set) var moreEventCount = 0
    private var lastIdentity: UInt64 = 0
    private var nextPlace = 0
    private var nextPosition: UInt64 = 0

    package init() {}

    package mutating func removeEvents() {
        events.removeAll(keepingCapacity: true)
        moreEventCount = 0
    }

    private mutating func add(_ event: LinkEvent) {
        if events.count < Limits.linkEventCountMax { events.append(event) } else { moreEventCount += 1 }
    }

    private mutating func setAttributes(_ attributes: LinkAttributes, at place: Int) {
        if entries[place].attributes.operState == .up, attributes.operState.isDown { add(.lost(entries[place].name)) }
        entries[place].attributes = attributes
    }

    package mutating func beginReading() {
        reading += 1
        nextPlace = 0
        nextPosition = 0
    }

    package func isPresent(_ place: Int) -> Bool { entries[place].reading == reading }

    /// The place of the interface with this index. Readings come in the same order each time.
    @inline(__always)
    package mutating func place(index: UInt32) -> Int? {
        let next = nextPlace
        if next < entries.count, entries[next].attributes.index == index {
            nextPlace = next + 1
            return next
        }
        guard let place = entries.firstIndex(where: { $0.attributes.index == index }) else { return nil }
        nextPlace = place + 1
        return place
    }

    /// The place of the interface with this name.
    package mutating func place(name: Span<UInt8>) -> Int? {
        let next = nextPlace
        if next < entries.count, hasName(name, next) {
            nextPlace = next + 1
            return next
        }
        guard let place = self.search(name: name) else { return nil }
        nextPlace = place + 1
        return place
    }

    private func search(name: Span<UInt8>) -> Int? {
        for place in entries.indices where hasName(name, place) { return place }
        return nil
    }

    private func hasName(_ name: Span<UInt8>, _ place: Int) -> Bool {
        let known = entries[place].name
        return known.span.equals(name)
    }

    /// Takes over one reading of an interface's counters; the first of a name counts.
    @inline(__always)
    package mutating func setCounters(_ counters: InterfaceCounters, isComplete: Bool = true, at place: Int) {
        guard entries[place].reading != reading else { return }
        entries[place].set(counters, isComplete: isComplete, reading: reading, position: nextPosition)
        nextPosition += 1
    }

    /// Keeps an interface that has no counters yet.
    package mutating func markPresent(at place: Int) { entries[place].reading = reading }

    /// Adds an interface, or renews what is known of it. Returns nothing: its place may have changed.
    package mutating func update(name: Span<UInt8>, _ attributes: LinkAttributes, at place: Int?) {
        guard let place else {
            lastIdentity += 1
            var bytes: [UInt8] = []
            for index in name.indices { bytes.append(name[index]) }
            entries.append(
                Entry(name: bytes, attributes: attributes, identity: lastIdentity))
            add(.appeared(bytes))
            return sort()
        }
        let hasNewName = !hasName(name, place)
        let hasNewIndex = entries[place].attributes.index != attributes.index
        setAttributes(attributes, at: place)
        guard hasNewName || hasNewIndex else { return }
        lastIdentity += 1
        entries[place].identity = lastIdentity
        if hasNewName {
            add(.vanished(entries[place].name))
            entries[place].name.removeAll()
            for index in name.indices { entries[place].name.append(name[index]) }
            add(.appeared(entries[place].name))
        }
        sort()
    }

    /// Reads anew what is known of each interface.
    package mutating func renewAttributes(_ files: inout LinkAttributeFiles) {
        var isSorted = true
        for place in entries.indices {
            let name = entries[place].name
            let attributes = files.attributes(of: name.span)
            if attributes.index != entries[place].attributes.index {
                lastIdentity += 1
                entries[place].identity = lastIdentity
                isSorted = false
            }
            setAttributes(attributes, at: place)
        }
        if !isSorted { sort() }
    }

    package mutating func remove(at place: Int) {
        add(.vanished(entries[place].name))
        entries.remove(at: place)
        generation += 1
    }

    /// Forgets the interfaces that the last reading did not have.
    package mutating func removeAbsent() {
        for place in entries.indices.reversed() where entries[place].reading != reading { remove(at: place) }
    }

    /// Sorts those without index by this reading.
    package mutating func restoreOrder() {
        for place in entries.indices.dropFirst() where Self.precedes(entries[place], entries[place - 1]) {
            return sort()
        }
    }

    private mutating func sort() {
        generation += 1
        entries.sort(by: Self.precedes)
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        // 0, not known, becomes the greatest.
        let leftIndex = left.attributes.index &- 1
        let rightIndex = right.attributes.index &- 1
        return leftIndex != rightIndex ? leftIndex < rightIndex : left.position < right.position
    }
}
