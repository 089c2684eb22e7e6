import Telemetry
import TestSupport
import Testing

private let small = FrameRing.Limits(initialByteCount: 32, byteCount: 256, initialFrameCount: 2, frameCount: 16)

/// A ring beside a plain list of what must be in it.
private final class CheckedRing {
    struct Expected {
        var channel: ChannelID
        var logTime: Timestamp
        var idOffset: Int
        var bytes: [UInt8]
    }

    var ring: FrameRing
    var frames: [Expected] = []
    var released: UInt64 = 0

    init(_ limits: FrameRing.Limits = small) { ring = FrameRing(limits: limits) }

    /// Appends a frame of these bytes, the first of which are its header.
    func append(_ bytes: [UInt8], idOffset: Int = 1) -> Bool {
        let sequence = released + UInt64(frames.count)
        let expected = Expected(
            channel: ChannelID(index: Int(sequence % 7)), logTime: Timestamp(unixNanoseconds: sequence * 1_000),
            idOffset: idOffset, bytes: bytes)
        let isAppended = ring.append(
            expected.channel, at: expected.logTime, byteCount: bytes.count, idOffset: idOffset
        ) { target in
            #expect(target.count == bytes.count)
            for index in bytes.indices { target[index] = bytes[index] }
        }
        if isAppended { frames.append(expected) }
        return isAppended
    }

    func append(byteCount: Int, _ fill: UInt8 = 0) -> Bool {
        append(Array(repeating: fill, count: byteCount))
    }

    func release(_ count: Int) {
        ring.release(below: released + UInt64(count))
        frames.removeFirst(count)
        released += UInt64(count)
    }

    func frame(_ sequence: UInt64) -> FrameRing.Frame { ring.frame(at: sequence) }

    /// Everything that was not released is there, byte for byte.
    func check() {
        #expect(ring.oldest == released)
        #expect(ring.end == released + UInt64(frames.count))
        #expect(ring.isEmpty == frames.isEmpty)
        for (index, expected) in frames.enumerated() {
            let frame = ring.frame(at: released + UInt64(index))
            let copy = ring.copy(frame.bytes)
            #expect(frame.channel == expected.channel)
            #expect(frame.logTime == expected.logTime)
            #expect(frame.idOffset == expected.idOffset)
            #expect(frame.byteCount == expected.bytes.count)
            #expect(frame.bytes == frame.start..<frame.start + frame.byteCount)
            #expect(copy == expected.bytes)
            let span = ring.span.extracting(frame.bytes)
            var isEqual = span.count == expected.bytes.count
            for index in expected.bytes.indices where isEqual { isEqual = span[index] == expected.bytes[index] }
            #expect(isEqual)
        }
    }

    /// Free stretches that a frame could be put into: behind the newest, and before the oldest.
    func largestGap(in byteCount: Int) -> Int {
        guard !frames.isEmpty else { return byteCount }
        let head = ring.frame(at: ring.oldest).start
        let tail = ring.frame(at: ring.end - 1).bytes.upperBound
        return head < tail ? max(byteCount - tail, head) : head - tail
    }
}

@Suite("Frame ring")
struct FrameRingTests {
    @Test func framesLieNextToEachOther() {
        let checked = CheckedRing()
        #expect(checked.append([1, 2, 3], idOffset: 2))
        #expect(checked.append([4]))
        #expect(checked.append([5, 6], idOffset: 2))
        checked.check()
        #expect(checked.frame(0).bytes == 0..<3)
        #expect(checked.frame(1).bytes == 3..<4)
        #expect(checked.frame(2).bytes == 4..<6)
    }

    @Test func ringStartsOverWhenAllIsReleased() {
        let checked = CheckedRing()
        #expect(checked.append(byteCount: 20))
        #expect(checked.append(byteCount: 8))
        checked.release(1)
        #expect(checked.append(byteCount: 4))
        #expect(checked.frame(2).start == 28)
        checked.release(2)
        #expect(checked.append(byteCount: 32))
        #expect(checked.frame(3).start == 0)
        #expect(checked.ring.byteCapacity == 32)
        checked.check()
    }

    @Test func ringWrapsBeforeItGrows() {
        let checked = CheckedRing()
        for fill in 1...3 as ClosedRange<UInt8> { #expect(checked.append(byteCount: 10, fill)) }
        checked.release(1)
        // Two bytes are left at the end, ten at the beginning: exactly enough.
        #expect(checked.append(byteCount: 10, 4))
        #expect(checked.frame(3).start == 0)
        #expect(checked.ring.byteCapacity == 32)
        checked.check()
        // Full: the next one makes it grow, and the frames stand in order again.
        #expect(checked.append(byteCount: 1, 5))
        #expect(checked.ring.byteCapacity == 64)
        #expect(checked.frame(1).start == 0)
        #expect(checked.frame(4).start == 30)
        checked.check()
    }

    @Test func frameOfTheWholeLimitFits() {
        let checked = CheckedRing()
        #expect(!checked.append(byteCount: 257))
        #expect(checked.append(byteCount: 256))
        #expect(!checked.append(byteCount: 1))
        #expect(checked.ring.byteCapacity == 256)
        checked.check()
        checked.release(1)
        #expect(checked.append(byteCount: 256))
        checked.check()
    }

    @Test func refusedFrameCostsNoMemory() {
        let checked = CheckedRing()
        #expect(checked.append(byteCount: 20, 1))
        #expect(!checked.append(byteCount: 240))
        #expect(!checked.append(byteCount: 257))
        let isAppended = checked.ring.append(
            ChannelID(index: 0), at: Timestamp(unixNanoseconds: 0), byteCount: .max / 2, idOffset: 1
        ) { _ in Issue.record("there is nothing to write to") }
        #expect(!isAppended)
        #expect(checked.ring.byteCapacity == 32)
        checked.check()
    }

    @Test func framesAreCounted() {
        let checked = CheckedRing()
        for fill in 0..<16 as Range<UInt8> { #expect(checked.append(byteCount: 1, fill)) }
        #expect(!checked.append(byteCount: 1))
        checked.check()
        checked.release(1)
        #expect(checked.append(byteCount: 1, 16))
        #expect(!checked.append(byteCount: 1))
        checked.check()
    }

    @Test func releasingIsNeverTakenBack() {
        let checked = CheckedRing()
        for fill in 0..<4 as Range<UInt8> { #expect(checked.append(byteCount: 1, fill)) }
        checked.release(2)
        checked.ring.release(below: 0)
        checked.check()
        checked.ring.release(below: .max)
        #expect(checked.ring.oldest == 4)
        #expect(checked.ring.end == 4)
        #expect(checked.ring.isEmpty == true)
    }

    @Test func patchIsLittleEndian() {
        let checked = CheckedRing()
        #expect(checked.append([9, 0, 0, 0, 0, 9]))
        checked.ring.patch(0x0102_0304, at: 1)
        let patched = checked.ring.copy(0..<6)
        #expect(patched == [9, 4, 3, 2, 1, 9])
    }

    @Test func memoryIsGivenBackAfterAQuietTime() {
        let checked = CheckedRing()
        for _ in 0..<16 { #expect(checked.append(byteCount: 16)) }
        checked.release(16)
        #expect(checked.ring.byteCapacity == 256)
        // It was needed since the last call.
        checked.ring.shrink()
        #expect(checked.ring.byteCapacity == 256)
        #expect(checked.append(byteCount: 64, 1))
        checked.release(1)
        checked.ring.shrink()
        #expect(checked.ring.byteCapacity == 32)
        #expect(checked.append(byteCount: 16, 2))
        #expect(checked.append(byteCount: 16, 3))
        #expect(checked.append(byteCount: 16, 4))
        checked.check()
    }

    @Test func memoryInUseIsKept() {
        let checked = CheckedRing()
        for _ in 0..<16 { #expect(checked.append(byteCount: 16)) }
        checked.release(15)
        for _ in 0..<3 { checked.ring.shrink() }
        #expect(checked.ring.byteCapacity == 256)
        checked.check()
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func ringAgreesWithAListOfFrames(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let checked = CheckedRing()
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...5:
                let longest = [4, 20, 60, 300].randomElement(using: &generator) ?? 4
                let bytes = generator.bytes(.random(in: 1...longest, using: &generator))
                let before = checked.frames.count
                let isAppended = checked.append(bytes, idOffset: .random(in: 1...bytes.count, using: &generator))
                if isAppended {
                    #expect(before > 0 || checked.frame(checked.released).start == 0)
                } else {
                    let used = checked.frames.reduce(0) { $0 + $1.bytes.count }
                    let fits =
                        checked.ring.byteCapacity < small.byteCount
                        ? used + bytes.count <= small.byteCount
                        : checked.largestGap(in: small.byteCount) >= bytes.count
                    #expect(before == small.frameCount || !fits)
                }
            case 6...7:
                if !checked.frames.isEmpty {
                    checked.release(.random(in: 1...min(3, checked.frames.count), using: &generator))
                }
            case 8: checked.release(checked.frames.count)
            default: checked.ring.shrink()
            }
            checked.check()
            #expect(checked.ring.byteCapacity <= small.byteCount)
        }
    }

    @Test func frameOutsideTheRingTraps() async {
        await #expect(processExitsWith: .failure) {
            var ring = FrameRing(limits: small)
            _ = ring.append(
                ChannelID(index: 0), at: Timestamp(unixNanoseconds: 0), byteCount: 1, idOffset: 1
            ) { $0[0] = 1 }
            ring.release(below: 1)
            _ = ring.frame(at: 0)
        }
    }
}
