import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// What a client gets that takes bytes late, in pieces, or not at all (protocol.md, section 5).
@Suite struct SlowClientTests {
    /// Any cut of the stream into partial writes gives every client the same messages in the same order.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func partialWritesLoseNothingAndChangeNothing(round: UInt64) {
        var random = SeededGenerator(round: round)
        var limits = ServerLimits()
        limits.ring = .init(initialByteCount: 256, byteCount: 1 << 20, initialFrameCount: 2, frameCount: 4_096)
        let world = World(channelCount: 4, limits: limits)
        let subscriptions = [[0, 1, 2, 3], [1, 3], [2], [0, 2]]
        let ids = subscriptions.map { world.connect(subscribedTo: $0) }
        var got: [[TestClient.Data]] = ids.map { _ in [] }
        var sent: [[UInt8: Int]] = ids.map { _ in [:] }
        for id in ids { _ = world.messages(id) }
        for _ in 0..<400 {
            let channels = (0..<Int.random(in: 0...5, using: &random)).map { _ in Int.random(in: 0...3, using: &random)
            }
            world.tick(channels, size: Int.random(in: 5...300, using: &random))
            for (index, id) in ids.enumerated() {
                for channel in channels where subscriptions[index].contains(channel) {
                    sent[index][UInt8(channel), default: 0] += 1
                }
                if Bool.random(using: &random) { world.drain(id, limit: Int.random(in: 0...2_000, using: &random)) }
                got[index] += world.data(id)
            }
        }
        for (index, id) in ids.enumerated() {
            world.drain(id)
            got[index] += world.data(id)
            for channel in subscriptions[index] {
                let counts = got[index].filter { $0.channel == UInt8(channel) }
                #expect(counts.allSatisfy { $0.subscription == 100 + UInt32(channel) })
                #expect(counts.count == sent[index][UInt8(channel), default: 0])
                #expect(zip(counts, counts.dropFirst()).allSatisfy { $0.count + 1 == $1.count })
            }
            #expect(zip(got[index], got[index].dropFirst()).allSatisfy { $0.logTime <= $1.logTime })
        }
        #expect(world.server.counters.droppedMessages == 0)
        #expect(world.server.queuedByteCount == 0)
    }

    @Test(arguments: [(queued: 1_024, dropped: UInt64(0)), (1_025, 1), (3_000, 1_976)])
    func beyondTheBoundTheOldestOfTheChannelGo(queued: Int, dropped: UInt64) {
        let world = World()
        let id = world.connect(subscribedTo: [0])
        _ = world.messages(id)
        world.tick([0])
        world.drain(id, limit: 0)
        for _ in 1..<queued { world.tick([0]) }
        #expect(world.server.counters.droppedMessages == dropped)
        world.drain(id)
        let counts = world.data(id).map(\.count)
        #expect(counts.count == queued - Int(dropped))
        #expect(counts.first == UInt32(dropped) + 1)
        #expect(counts.last == UInt32(queued))
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 + 1 == $1 })
    }

    @Test func theByteBoundDropsToo() {
        var limits = ServerLimits()
        limits.queuedByteCount = 10_000
        let world = World(limits: limits)
        let id = world.connect(subscribedTo: [0])
        _ = world.messages(id)
        world.tick([0])
        world.drain(id, limit: 0)
        for _ in 0..<20 { world.tick([0], size: 983) }
        world.drain(id)
        // 983 bytes of payload, 13 of message data header, 4 of frame header.
        #expect(world.data(id).count == 10)
        #expect(world.server.droppedCounts == [11, 0, 0])
    }

    @Test func aHeavyChannelDoesNotPushOutARareOne() {
        let world = World()
        let id = world.connect(subscribedTo: [0, 1])
        _ = world.messages(id)
        world.tick([1, 1, 0])
        world.drain(id, limit: 0)
        for _ in 0..<5_000 { world.tick([0]) }
        world.drain(id)
        let data = world.data(id)
        #expect(data.prefix(2).map(\.channel) == [1, 1])
        #expect(data.count == 1_024)
        #expect(world.server.droppedCounts[1] == 0)
    }

    @Test func theNewestOfEveryChannelSurvivesAFullRing() {
        var limits = ServerLimits()
        limits.ring = .init(initialByteCount: 1_024, byteCount: 64 * 1_024, initialFrameCount: 8, frameCount: 128)
        let world = World(limits: limits)
        let slow = world.connect(subscribedTo: [0, 1, 2])
        let quick = world.connect(subscribedTo: [0, 1, 2])
        _ = (world.messages(slow), world.messages(quick))
        world.tick([1, 2, 1, 2, 0])
        world.drain(slow, limit: 0)
        var quickCount = 0
        for _ in 0..<1_000 {
            world.tick([0], size: 200)
            world.drain(quick)
            quickCount += world.data(quick).count
        }
        #expect(quickCount == 1_005, "the others do not notice")
        world.drain(slow)
        let data = world.data(slow)
        #expect(data.filter { $0.channel == 1 }.map(\.count) == [2])
        #expect(data.filter { $0.channel == 2 }.map(\.count) == [2])
        #expect(data.last?.count == 1_001)
        #expect(data.map(\.subscription).allSatisfy { 100...102 ~= $0 })
        let sent = UInt64(1_005 + data.count)
        #expect(world.server.counters.sentMessages == sent)
        #expect(world.server.counters.droppedMessages == 1_005 - UInt64(data.count))
    }

    @Test func slowClientsAreToldOncePerInterval() {
        let world = World()
        let (slow, quick) = (world.connect(subscribedTo: [0]), world.connect(subscribedTo: [0]))
        _ = (world.messages(slow), world.messages(quick))
        world.tick([0])
        world.drain(slow, limit: 0)
        for _ in 0..<2_000 { world.tick([0]) }
        world.advance(milliseconds: 4_999)
        for _ in 0..<10 { world.tick([0]) }
        world.drain(quick)
        world.drain(slow)
        let notice = status(1, "Send buffer limit reached")
        #expect(world.texts(slow) == [notice])
        #expect(world.texts(quick).isEmpty)
        world.tick([0])
        world.drain(slow, limit: 0)
        world.advance(milliseconds: 1)
        for _ in 0..<2_000 { world.tick([0]) }
        world.drain(slow)
        #expect(world.texts(slow) == [notice])
    }

    @Test func memoryGrowsForASlowClientAndComesBack() {
        let world = World()
        let slow = world.connect(subscribedTo: [0])
        world.tick([0])
        world.drain(slow, limit: 0)
        for _ in 0..<4_000 { world.tick([0], size: 4_000) }
        #expect(world.server.queuedByteCount > 1_000_000)
        #expect(world.server.heldByteCount <= ServerLimits().ring.byteCount + 64 * 1_024)
        world.drain(slow)
        for _ in 0..<3 { world.wait(milliseconds: 1_000) }
        #expect(world.server.queuedByteCount == 0)
        #expect(world.server.heldByteCount <= 2 * ServerLimits().ring.initialByteCount)
    }

    @Test func theQueueIsCountedWithoutWhatWasDropped() {
        let world = World()
        let slow = world.connect(subscribedTo: [0])
        world.tick([0], size: 103)
        world.drain(slow, limit: 0)
        for _ in 0..<5_000 { world.tick([0, 1], size: 103) }
        // 103 bytes of payload, 13 of message data header, 2 of frame header.
        // The notice is 65 bytes.
        #expect(world.server.queuedByteCount == 1_024 * 118 + 65)
        #expect(world.server.limitCounts[.dataQueue] == world.server.counters.droppedMessages)
        world.close(slow)
        #expect(world.server.heldByteCount <= ServerLimits().ring.initialByteCount)
    }

    @Test func aMessageLargerThanAQuarterOfTheRingIsRefused() {
        var limits = ServerLimits()
        limits.ring = .init(initialByteCount: 1_024, byteCount: 4_096, initialFrameCount: 8, frameCount: 8)
        let world = World(limits: limits)
        let id = world.connect(subscribedTo: [0])
        // 13 bytes of message data header and 4 of frame header go with it.
        #expect(world.publish(0, size: 1_024 - 17))
        #expect(!world.publish(0, size: 1_024 - 16))
        world.drain(id)
        #expect(world.data(id).count == 1)
    }
}
