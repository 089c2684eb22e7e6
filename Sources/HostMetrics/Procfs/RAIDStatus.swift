/// What /proc/mdstat says (md(4)): a line for each array, and indented lines about it.
///
///     md8 : active raid1 sdb1[1] sda1[0] sdc[2](S)
///           195310144 blocks [2/2] [UU]
///           [=>...................]  resync =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
package struct RAIDStatus: KernelText {
    package enum Activity: UInt32, Sendable {
        case unknown, inactive, active, resync, recovery, reshape, check
    }

    /// Sizes are in KiB here, as they are printed.
    package struct Array: Sendable {
        package var name: [UInt8]
        package var activity = Activity.unknown
        package var level: [UInt8] = []
        package var isReadOnly = false
        package var disksListed: UInt32 = 0
        package var disksFailed: UInt32 = 0
        package var disksSpare: UInt32 = 0
        /// Of `[n/m] [U_]`; nil for levels that can lose no disk.
        package var disksRequired: UInt32?
        package var disksActive: UInt32?
        package var disksDown: UInt32 = 0
        package var blocks: UInt64?
        /// nil: not under way.
        package var syncDone: UInt64?
        /// nil: not told.
        package var syncTarget: UInt64?
        package var syncBlocksPerSecond = Double.nan
        package var syncMinutesLeft = Double.nan
    }

    package private(set) var arrays: [RAIDStatus.Array] = []
    package private(set) var parseErrorCount = 0
    /// Arrays beyond what a message may have.
    package private(set) var excessCount = 0
    /// Of the text before: whoever is called as before needs no new name.
    private var before: [RAIDStatus.Array] = []

    package init() {}

    package mutating func parse(_ text: Span<UInt8>) {
        swap(&before, &arrays)
        arrays.removeAll(keepingCapacity: true)
        parseErrorCount = 0
        excessCount = 0
        // Whether the lines that follow are about the last array.
        var isInside = false
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let isIndented = ByteCursor.isBlank(cursor.next)
            var line = ByteCursor(cursor.line())
            if !isIndented {
                isInside = beginArray(&line)
            } else if isInside {
                parseDetails(&line)
            }
        }
    }

    /// Returns whether the line begins an array that is kept.
    private mutating func beginArray(_ line: inout ByteCursor) -> Bool {
        let name = line.token()
        guard line.token().equals(":") else { return false }
        let state = line.token()
        // Else the list of levels.
        guard state.equals("active") || state.equals("inactive") else { return false }
        let known = arrays.count < before.count ? before[arrays.count] : nil
        var array = Array(name: name.bytes(asIn: known?.name))
        array.activity = state.equals("active") ? .active : .inactive
        guard name.count <= Limits.diskNameByteCountMax, !arrays.contains(where: { $0.name == array.name }) else {
            parseErrorCount += 1
            return false
        }
        guard arrays.count < Limits.entryCountRange.upperBound else {
            excessCount += 1
            return false
        }
        while !line.isAtEnd { array.add(line.token(), knownLevel: known?.level) }
        arrays.append(array)
        return true
    }

    private mutating func parseDetails(_ line: inout ByteCursor) {
        let array = arrays.count - 1
        var number: UInt64?
        while true {
            let word = line.token()
            if word.isEmpty { return }
            if word.equals("blocks") {
                arrays[array].blocks = number
                if number == nil { parseErrorCount += 1 }
            } else {
                arrays[array].addDetail(word)
            }
            number = word.unsignedValue
        }
    }
}

extension RAIDStatus.Array {
    /// The kernel's names of levels have ten bytes at most.
    static let levelByteCountMax = 32

    /// A word behind the state: how the array may be used, its level, or one of its disks.
    fileprivate mutating func add(_ word: Span<UInt8>, knownLevel: [UInt8]?) {
        if word.equals("(read-only)") || word.equals("(auto-read-only)") {
            isReadOnly = true
        } else if let bracket = word.index(of: UInt8(ascii: "[")) {
            disksListed &+= 1
            let flags = word.extracting(droppingFirst: bracket)
            if flags.contains("(F)") { disksFailed &+= 1 }
            if flags.contains("(S)") { disksSpare &+= 1 }
        } else if level.isEmpty, activity == .active {
            level = word.extracting(first: min(word.count, Self.levelByteCountMax)).bytes(asIn: knownLevel)
        }
    }

    /// A word of an indented line.
    fileprivate mutating func addDetail(_ word: Span<UInt8>) {
        if let begun = RAIDStatus.Activity(naming: word) {
            activity = begun
            // Until its turn comes nothing else is told.
            syncDone = 0
        } else if let disks = word.fraction(in: "[", "]") {
            disksRequired = UInt32(clamping: disks.0)
            disksActive = UInt32(clamping: disks.1)
        } else if let missing = word.missingDisks {
            disksDown = UInt32(clamping: missing)
        } else if syncDone != nil {
            if let progress = word.fraction(in: "(", ")") {
                syncDone = progress.0
                syncTarget = progress.1
            } else if let minutes = word.decimal(in: "finish=", "min") {
                syncMinutesLeft = minutes
            } else if let speed = word.decimal(in: "speed=", "K/sec") {
                syncBlocksPerSecond = speed
            }
        }
    }
}

extension RAIDStatus.Activity {
    /// Under way, as in `resync = 8.5%`, or not yet, as in `resync=DELAYED`.
    fileprivate init?(naming word: Span<UInt8>) {
        let length = word.index(of: UInt8(ascii: "=")) ?? word.count
        let name = word.extracting(first: length)
        if name.equals("resync") {
            self = .resync
        } else if name.equals("recovery") || name.equals("recover") {
            self = .recovery
        } else if name.equals("reshape") {
            self = .reshape
        } else if name.equals("check") {
            self = .check
        } else {
            return nil
        }
    }
}

extension Span<UInt8> {
    /// A copy; `known` itself where that is the same.
    fileprivate func bytes(asIn known: [UInt8]?) -> [UInt8] {
        if let known, equals(known.span) { return known }
        var bytes: [UInt8] = []
        for index in indices { bytes.append(self[index]) }
        return bytes
    }

    fileprivate func index(of byte: UInt8) -> Int? {
        for index in indices where self[index] == byte { return index }
        return nil
    }

    fileprivate func contains(_ text: StaticString) -> Bool {
        var cursor = ByteCursor(self)
        for index in indices {
            cursor.move(to: index)
            if cursor.skip(text) { return true }
        }
        return false
    }

    /// The two numbers of `[n/m]`.
    fileprivate func fraction(in opening: StaticString, _ closing: StaticString) -> (UInt64, UInt64)? {
        let end = count - closing.utf8CodeUnitCount
        var cursor = ByteCursor(self)
        guard cursor.skip(opening), let slash = index(of: UInt8(ascii: "/")), slash >= cursor.offset, slash < end,
            extracting(droppingFirst: end).equals(closing),
            let left = extracting(cursor.offset..<slash).unsignedValue,
            let right = extracting(slash + 1..<end).unsignedValue
        else { return nil }
        return (left, right)
    }

    /// The number of `speed=259783K/sec`.
    fileprivate func decimal(in opening: StaticString, _ closing: StaticString) -> Double? {
        let end = count - closing.utf8CodeUnitCount
        var cursor = ByteCursor(self)
        guard cursor.skip(opening), end > cursor.offset, extracting(droppingFirst: end).equals(closing) else {
            return nil
        }
        var number = ByteCursor(extracting(cursor.offset..<end))
        guard case .value(let value) = number.decimal() else { return nil }
        return value
    }

    /// How many of `[UU_]` are missing; nil: it is something else.
    fileprivate var missingDisks: Int? {
        guard count > 2, self[0] == UInt8(ascii: "["), self[count - 1] == UInt8(ascii: "]") else { return nil }
        var missing = 0
        for index in 1..<count - 1 {
            if self[index] == UInt8(ascii: "_") {
                missing += 1
            } else if self[index] != UInt8(ascii: "U") {
                return nil
            }
        }
        return missing
    }
}
