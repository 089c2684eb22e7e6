/// One client's subscriptions, and its place in the ring of published frames.
///
/// Its queue is the stretch of the ring from the cursor to the end: nothing is copied, and nothing is done per client
/// when a message is published. A client that keeps up is only a cursor that moves to the end once per tick. One that
/// does not is held within bounds by ``bound(_:newest:messages:byteCount:)``: it loses the oldest messages of the
/// channel that overflows it, and never the newest of any channel.
package struct DataQueue: Sendable {
    /// What is on its way to the client although its frame is, or may soon be, no longer in the ring.
    private enum Owed {
        case nothing
        /// The last message of a latched channel, for a new subscription.
        case latched
        /// The newest message of a channel, whose frame was skipped.
        case survivor
    }

    private struct Slot {
        var subscriptionID: UInt32 = 0
        /// When a new subscription begins; nil once it has.
        var startsAt: Instant?
        var isSubscribed = false
        /// The first frame that may still be sent; `noFrame` while there is no subscription, or it has not begun.
        var first = DataQueue.noFrame
        var owed = Owed.nothing
    }

    /// What to send next.
    package struct Gathered: Equatable, Sendable {
        /// Where the cursor stands when all of it is sent.
        package var end: UInt64
        package var byteCount = 0
        package var messageCount = 0
    }

    private static let noFrame = UInt64.max

    private var slots: [Slot]
    package private(set) var subscriptionCount = 0
    /// How many subscriptions have not begun.
    private var startingCount = 0
    private var owedCount = 0
    private var cursor: UInt64 = 0
    /// Frames before this one are in the two counts below, which are kept only while the client is behind.
    private var counted: UInt64 = 0
    private var queuedCount = 0
    package private(set) var queuedByteCount = 0

    package init(channelCount: Int) { slots = Array(repeating: Slot(), count: channelCount) }

    // MARK: Subscriptions

    package func subscriptionID(for channel: ChannelID) -> UInt32? {
        slots[channel.index].isSubscribed ? slots[channel.index].subscriptionID : nil
    }

    package func channel(of subscriptionID: UInt32) -> ChannelID? {
        slots.firstIndex { $0.isSubscribed && $0.subscriptionID == subscriptionID }.map { ChannelID(index: $0) }
    }

    package mutating func subscribe(to channel: ChannelID, as id: UInt32, startsAt: Instant, ringEnd: UInt64) {
        if subscriptionCount == 0 { moveCursor(to: ringEnd) }
        subscriptionCount += 1
        startingCount += 1
        slots[channel.index] = Slot(subscriptionID: id, startsAt: startsAt, isSubscribed: true)
    }

    /// Ends a subscription; what was queued for it is not sent.
    package mutating func unsubscribe(from channel: ChannelID) {
        if slots[channel.index].startsAt != nil { startingCount -= 1 }
        setOwed(.nothing, channel.index)
        slots[channel.index] = Slot()
        subscriptionCount -= 1
        recount()
    }

    /// When the next new subscription begins.
    package var nextStart: Instant? { startingCount == 0 ? nil : slots.lazy.compactMap(\.startsAt).min() }

    /// Begins the subscriptions whose time has come: they get the frames from `tickStart` on.
    ///
    /// `lastMessage` says whether a channel is latched and has a message that lies before `tickStart`: it is owed.
    package mutating func begin(now: Instant, tickStart: UInt64, lastMessage: (ChannelID) -> Bool) {
        guard startingCount > 0 else { return }
        for index in slots.indices {
            guard let startsAt = slots[index].startsAt, startsAt <= now else { continue }
            slots[index].startsAt = nil
            slots[index].first = tickStart
            startingCount -= 1
            if lastMessage(ChannelID(index: index)) { setOwed(.latched, index) }
        }
        // Frames of this tick may lie before the cursor's reach of earlier counting.
        recount()
    }

    // MARK: Sending

    /// The first frame that the client may still need; frames before it can be released.
    package func needed(ringEnd: UInt64) -> UInt64 { subscriptionCount == 0 ? ringEnd : cursor }

    /// Takes the channels whose last message, kept beside the ring, is owed and not overtaken by a newer frame.
    /// `newest` has for each channel the sequence after its newest frame, 0 if there is none.
    package mutating func takeOwed(
        newest: [UInt64], dropped: (ChannelID) -> Void, send: (ChannelID, _ subscriptionID: UInt32) -> Void
    ) {
        guard owedCount > 0 else { return }
        for index in slots.indices where slots[index].owed != .nothing {
            let isOvertaken = newest[index] > max(cursor, slots[index].first)
            if !isOvertaken {
                send(ChannelID(index: index), slots[index].subscriptionID)
            } else if slots[index].owed == .survivor {
                dropped(ChannelID(index: index))
            }
            setOwed(.nothing, index)
        }
    }

    /// Collects the next frames to send: their byte ranges go to `ranges`, adjoining ones as one, and the client's
    /// subscription ids into their headers. The cursor stays until ``advance(by:gathered:in:remainder:)``.
    package mutating func gather(
        from ring: inout FrameRing, into ranges: inout [Range<Int>], rangeLimit: Int, byteLimit: Int
    ) -> Gathered {
        guard subscriptionCount > 0 else { return Gathered(end: ring.end) }
        var gathered = Gathered(end: cursor)
        // The stretch under way; frames that adjoin it make it longer.
        var stretch = 0..<0
        while gathered.end < ring.end, gathered.byteCount < byteLimit {
            let frame = ring.frame(at: gathered.end)
            let slot = slots[frame.channel.index]
            if slot.first <= gathered.end {
                if frame.start == stretch.upperBound {
                    stretch = stretch.lowerBound..<frame.start + frame.byteCount
                } else {
                    guard ranges.count < rangeLimit - 1 else { break }
                    if !stretch.isEmpty { ranges.append(stretch) }
                    stretch = frame.bytes
                }
                ring.patch(slot.subscriptionID, at: frame.start + frame.idOffset)
                gathered.byteCount += frame.byteCount
                gathered.messageCount += 1
            }
            gathered.end += 1
        }
        if !stretch.isEmpty { ranges.append(stretch) }
        return gathered
    }

    /// Moves the cursor over `byteCount` bytes that a socket took of what was gathered; returns the messages that are
    /// out of the ring's hands. The rest of a frame that was taken in part is handed to `remainder`.
    package mutating func advance(
        by byteCount: Int, gathered: Gathered, in ring: borrowing FrameRing, remainder: (Range<Int>) -> Void
    ) -> Int {
        if byteCount == gathered.byteCount {
            moveCursor(to: gathered.end)
            return gathered.messageCount
        }
        var left = byteCount
        var messageCount = 0
        var sequence = cursor
        while left > 0 {
            let frame = ring.frame(at: sequence)
            sequence += 1
            guard slots[frame.channel.index].first <= sequence - 1 else { continue }
            messageCount += 1
            if left < frame.byteCount { remainder(frame.start + left..<frame.start + frame.byteCount) }
            left -= min(left, frame.byteCount)
        }
        moveCursor(to: sequence)
        return messageCount
    }

    // MARK: Falling behind

    /// Keeps the queue of a client that is behind within its bounds, and reports every message dropped.
    package mutating func bound(
        _ ring: borrowing FrameRing, newest: [UInt64], messages: Int, byteCount: Int, dropped: (ChannelID) -> Void
    ) {
        guard subscriptionCount > 0 else { return }
        while counted < ring.end {
            let frame = ring.frame(at: counted)
            counted += 1
            guard slots[frame.channel.index].first < counted else { continue }
            queuedCount += 1
            queuedByteCount += frame.byteCount
            while queuedCount > messages || queuedByteCount > byteCount {
                guard let channel = dropOldest(of: frame.channel, ring, newest) ?? dropOldest(of: nil, ring, newest)
                else { break }
                dropped(channel)
            }
        }
        // The ring need not keep what was given up at the front.
        while cursor < counted, slots[ring.frame(at: cursor).channel.index].first > cursor { cursor += 1 }
    }

    /// Gives up the frames before `target`, which the ring is about to lose. The newest of a channel is handed to
    /// `keep` and owed, the others are dropped.
    package mutating func skip(
        to target: UInt64, in ring: borrowing FrameRing, newest: [UInt64], keep: (FrameRing.Frame) -> Void,
        dropped: (ChannelID) -> Void
    ) {
        guard subscriptionCount > 0, cursor < target else { return }
        for sequence in cursor..<target {
            let frame = ring.frame(at: sequence)
            guard slots[frame.channel.index].first <= sequence else { continue }
            if slots[frame.channel.index].owed == .survivor {
                dropped(frame.channel)
                setOwed(.nothing, frame.channel.index)
            }
            if newest[frame.channel.index] == sequence + 1 {
                keep(frame)
                setOwed(.survivor, frame.channel.index)
            } else {
                dropped(frame.channel)
            }
        }
        moveCursor(to: target)
    }

    /// Drops the oldest queued frame of a channel, or of any, that is not the newest of its channel.
    private mutating func dropOldest(
        of channel: ChannelID?, _ ring: borrowing FrameRing, _ newest: [UInt64]
    ) -> ChannelID? {
        var sequence = cursor
        if let channel { sequence = max(sequence, slots[channel.index].first) }
        while sequence < counted {
            let frame = ring.frame(at: sequence)
            let index = frame.channel.index
            sequence += 1
            guard channel.map({ $0 == frame.channel }) ?? true, slots[index].first < sequence, newest[index] != sequence
            else { continue }
            slots[index].first = sequence
            queuedCount -= 1
            queuedByteCount -= frame.byteCount
            return frame.channel
        }
        return nil
    }

    private mutating func moveCursor(to sequence: UInt64) {
        cursor = sequence
        recount()
    }

    /// The counts are made anew by the next ``bound(_:newest:messages:byteCount:dropped:)``.
    private mutating func recount() {
        counted = cursor
        queuedCount = 0
        queuedByteCount = 0
    }

    private mutating func setOwed(_ owed: Owed, _ index: Int) {
        owedCount += (owed == .nothing ? 0 : 1) - (slots[index].owed == .nothing ? 0 : 1)
        slots[index].owed = owed
    }
}
