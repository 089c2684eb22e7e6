/// The published messages that somebody has still to read, in one block of memory.
///
/// There is one writer and any number of readers. A message is encoded once, straight into its final place: a *frame*,
/// a header for the wire with the payload behind it. Frames that follow each other lie next to each other, so that a
/// reader hands whole stretches to its socket and copies nothing.
///
/// Frames are numbered from 0 (their *sequence*). A reader is such a number, kept by the reader itself; the owner
/// tells the ring with ``release(below:)`` what nobody needs any more. When everything is released the ring starts
/// over at its first byte, so with readers that keep up its few hot kilobytes stay in the cache. With readers that do
/// not it grows, up to its limits, and ``shrink()`` gives the memory back when they have caught up.
package struct FrameRing: ~Copyable {
    /// One published message.
    package struct Frame: Sendable {
        package var channel: ChannelID
        package var logTime: Timestamp
        /// Offset of the header in the ring's bytes.
        package var start: Int
        /// Where in the frame the four bytes are that differ from reader to reader.
        package var idOffset: Int
        /// Header and payload.
        package var byteCount: Int

        package var bytes: Range<Int> { start..<start + byteCount }
    }

    /// How large a ring is when it is empty and how large it may grow; counts of frames are powers of two.
    package struct Limits: Equatable, Sendable {
        package var initialByteCount: Int
        package var byteCount: Int
        package var initialFrameCount: Int
        package var frameCount: Int

        package init(initialByteCount: Int, byteCount: Int, initialFrameCount: Int, frameCount: Int) {
            precondition(initialByteCount > 0 && initialByteCount <= byteCount)
            precondition(initialFrameCount > 0 && initialFrameCount <= frameCount)
            precondition(initialFrameCount.nonzeroBitCount == 1 && frameCount.nonzeroBitCount == 1)
            self.initialByteCount = initialByteCount
            self.byteCount = byteCount
            self.initialFrameCount = initialFrameCount
            self.frameCount = frameCount
        }
    }

    package let limits: Limits
    /// Sequence of the oldest frame that is still there.
    package private(set) var oldest: UInt64 = 0
    /// Sequence that the next frame will have.
    package private(set) var end: UInt64 = 0

    private var bytes: [UInt8]
    /// Frame `sequence` stands at `sequence % frames.count`.
    private var frames: [Frame]
    private var writeOffset = 0
    /// Most bytes in use since the last ``shrink()``.
    private var peakByteCount = 0

    package init(limits: Limits) {
        self.limits = limits
        bytes = Array(repeating: 0, count: limits.initialByteCount)
        frames = Array(repeating: Self.noFrame, count: limits.initialFrameCount)
    }

    package var isEmpty: Bool { oldest == end }
    /// Bytes of memory held, whether in use or not.
    package var byteCapacity: Int { bytes.count }

    /// Appends a frame, which `write` must fill.
    ///
    /// Returns false when it does not fit, in one piece and even after growing, beside what has not been released.
    package mutating func append(
        _ channel: ChannelID, at logTime: Timestamp, byteCount: Int, idOffset: Int = 0,
        write: (inout MutableSpan<UInt8>) -> Void
    ) -> Bool {
        guard let start = claim(byteCount) else { return false }
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(start..<start + byteCount)
        write(&target)
        frames[Int(truncatingIfNeeded: end) & (frames.count - 1)] = Frame(
            channel: channel, logTime: logTime, start: start, idOffset: idOffset, byteCount: byteCount)
        end += 1
        writeOffset = start + byteCount
        peakByteCount = max(peakByteCount, writeOffset)
        return true
    }

    /// The frame with this sequence, which must lie in `oldest..<end`.
    package func frame(at sequence: UInt64) -> Frame {
        precondition(sequence >= oldest && sequence < end, "the frame is not in the ring")
        return frames[Int(truncatingIfNeeded: sequence) & (frames.count - 1)]
    }

    /// All bytes of the ring; ``Frame/bytes`` says which are whose.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { bytes.span }
    }

    /// A copy of some bytes, for what must outlive its frame.
    package func copy(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    /// Overwrites four bytes of a frame, little-endian: what differs from reader to reader.
    package mutating func patch(_ value: UInt32, at offset: Int) {
        bytes[offset] = UInt8(truncatingIfNeeded: value)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[offset + 2] = UInt8(truncatingIfNeeded: value >> 16)
        bytes[offset + 3] = UInt8(truncatingIfNeeded: value >> 24)
    }

    /// Says that no reader needs the frames before `sequence` any more.
    package mutating func release(below sequence: UInt64) {
        oldest = max(oldest, min(sequence, end))
        if isEmpty { writeOffset = 0 }
    }

    /// Forgets every frame and gives back the memory: nobody reads any more.
    package mutating func removeAll() {
        release(below: end)
        peakByteCount = 0
        shrink()
    }

    /// Gives back memory that was not needed since the last call. To be called now and then, not per tick.
    package mutating func shrink() {
        defer { peakByteCount = writeOffset }
        guard isEmpty, peakByteCount <= bytes.count / 4 else { return }
        if bytes.count > limits.initialByteCount { bytes = Array(repeating: 0, count: limits.initialByteCount) }
        if frames.count > limits.initialFrameCount {
            frames = Array(repeating: Self.noFrame, count: limits.initialFrameCount)
        }
    }

    private static let noFrame = Frame(
        channel: ChannelID(index: 0), logTime: Timestamp(unixNanoseconds: 0), start: 0, idOffset: 0, byteCount: 0
    )

    /// Where `byteCount` contiguous bytes are free, growing the ring if need be.
    private mutating func claim(_ byteCount: Int) -> Int? {
        if end - oldest == UInt64(frames.count) {
            guard frames.count < limits.frameCount else { return nil }
            growFrames()
        }
        if let start = freeStart(for: byteCount) { return start }
        guard bytes.count < limits.byteCount, byteCount <= limits.byteCount - usedByteCount else { return nil }
        growBytes(by: byteCount)
        return writeOffset
    }

    /// Bytes of the frames that are not released. To be asked rarely: it adds them up.
    private var usedByteCount: Int { (oldest..<end).reduce(0) { $0 + frame(at: $1).byteCount } }

    private func freeStart(for byteCount: Int) -> Int? {
        if isEmpty { return byteCount <= bytes.count ? 0 : nil }
        let head = frame(at: oldest).start
        if head < writeOffset {
            if bytes.count - writeOffset >= byteCount { return writeOffset }
            return head >= byteCount ? 0 : nil
        }
        return head - writeOffset >= byteCount ? writeOffset : nil
    }

    private mutating func growFrames() {
        var larger = Array(repeating: Self.noFrame, count: frames.count * 2)
        for sequence in oldest..<end {
            larger[Int(truncatingIfNeeded: sequence) & (larger.count - 1)] = frame(at: sequence)
        }
        frames = larger
    }

    /// At least doubles the block, and packs the frames to its beginning.
    private mutating func growBytes(by byteCount: Int) {
        let capacity = min(limits.byteCount, max(bytes.count * 2, bytes.count + byteCount))
        var larger: [UInt8] = []
        larger.reserveCapacity(capacity)
        for sequence in oldest..<end {
            let frame = frame(at: sequence)
            frames[Int(truncatingIfNeeded: sequence) & (frames.count - 1)].start = larger.count
            larger += bytes[frame.bytes]
        }
        writeOffset = larger.count
        larger += repeatElement(0, count: capacity - larger.count)
        bytes = larger
    }
}
