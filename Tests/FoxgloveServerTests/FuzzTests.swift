import Foundation
import FoxgloveProtocol
import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// A whole server against inputs that are nearly right: handshakes, frames, operations, binary messages.
///
/// `FUZZ_COUNT=100000 FUZZ_SEED=1 swift test --filter FuzzTests` chooses how many inputs there are, and repeats a run.
@Suite struct FuzzTests {
    /// Two servers, each with half of the inputs, side by side.
    @Test(arguments: 0..<2 as Range<UInt64>)
    func mutatedInputsAreSurvivedAndAnsweredProperly(half: UInt64) {
        let environment = ProcessInfo.processInfo.environment
        let count = (environment["FUZZ_COUNT"].flatMap(Int.init) ?? 5_000) / 2
        let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? SeededGenerator.seed
        print("FUZZ_SEED=\(seed)")
        fflush(nil)
        let fuzzer = Fuzzer(random: SeededGenerator(seed: seed &+ half))
        for index in 0..<count {
            fuzzer.playInput()
            guard fuzzer.faults.isEmpty else {
                let input = "input \(index) of half \(half) of FUZZ_SEED=\(seed)"
                Issue.record("\(input): \(fuzzer.faults); \(fuzzer.lastInput.prefix(300).debugText)")
                return
            }
            if index % 1_000 == 999 || index == count - 1 { fuzzer.endEra() }
        }
        #expect(fuzzer.faults.isEmpty, "FUZZ_SEED=\(seed)")
        // Enough inputs reach what lies behind the first checks; a few may not.
        guard count >= 10_000 else { return }
        #expect(fuzzer.publishedCount > 0 && fuzzer.dataCount > 0)
        #expect(fuzzer.requestCount > 0 && fuzzer.callCount > 0 && fuzzer.playbackCount > 0)
        #expect(fuzzer.resourceCount > 0)
        let limits: [LimitName] = [.clients, .openHandshakes, .requestHead, .controlQueue, .clientMemory]
        for limit in limits { #expect(fuzzer.limitsReached.contains(limit), "\(limit.rawValue)") }
        #expect(fuzzer.statusKinds.count >= 12, "\(fuzzer.statusKinds.sorted())")
    }
}

/// Clients that come, send what the mutator makes, read slowly or not at all, and go; and one that behaves.
private final class Fuzzer {
    private struct Peer {
        var reader = ReplyReader()
        /// The socket takes no more than this at a time.
        var window = Int.max
    }

    private(set) var faults: [String] = []
    private(set) var lastInput: [UInt8] = []

    // What the run met.
    private(set) var publishedCount = 0
    private(set) var requestCount = 0
    private(set) var callCount = 0
    private(set) var resourceCount = 0
    private(set) var playbackCount = 0
    private(set) var dataCount = 0
    /// Statuses by their first words.
    private(set) var statusKinds: Set<String> = []
    var limitsReached: [LimitName] { Array(server.limitCounts.keys) }

    private static let limits = {
        var limits = ServerLimits()
        limits.clients = 6
        limits.clientsPerAddress = 4
        limits.openHandshakes = 4
        limits.clientMemoryByteCount = 512 * 1_024
        limits.ring.byteCount = 256 * 1_024
        limits.queuedByteCount = 64 * 1_024
        limits.queuedControlByteCount = 32 * 1_024
        return limits
    }()
    private static let channelCount = 3
    private static let slotCount = 10

    private let world = World(channelCount: channelCount, latched: [1], features: World.complete, limits: limits)
    private var server: Server { world.server }
    private let emptyByteCount: Int
    private var mutator: FuzzMutator
    private var peers: [ConnectionID: Peer] = [:]
    private var listening: Set<ChannelID> = []
    private var connectedCount = 0
    private let wellBehaved = ConnectionID(index: 0)

    init(random: SeededGenerator) {
        mutator = FuzzMutator(random: random)
        world.server.add(World.service)
        emptyByteCount = world.server.heldByteCount
    }

    // MARK: Inputs

    func playInput() {
        if peers[wellBehaved] == nil { openWellBehaved() }
        let id = ConnectionID(index: .random(in: 1..<Self.slotCount, using: &mutator.random))
        if peers[id] == nil { open(id) }
        let isUpgraded = peers[id]?.reader.isUpgraded == true
        let input =
            isUpgraded
            ? mutator.frames() : FuzzMutator.Input(bytes: mutator.handshake(), breaksFraming: isOne(in: 2))
        lastInput = input.bytes
        // A flood, now and then.
        let count = isOne(in: 1_000) && input.bytes.count < 1_000 ? 300 : 1
        for _ in 0..<count { send(input.bytes, from: id) }
        drain(id)
        if input.breaksFraming && isOne(in: 2) { close(id) }
        world.advance(milliseconds: .random(in: 0...50, using: &mutator.random))
        // One that stops to read.
        if isOne(in: 50) { peers[id]?.window = 0 }
        if isOne(in: 10) { playTick() }
        if isOne(in: 100) { keepHouse() }
        check()
    }

    private func open(_ id: ConnectionID) {
        peers[id] = Peer(window: isOne(in: 4) ? 2_000 : .max)
        server.opened(id, from: "10.0.0.\(id.index % 3)", now: world.now)
        // Most come in, for the rest of the protocol lies behind the handshake.
        if !isOne(in: 4) {
            send(FuzzCorpus.handshakes[0], from: id)
            for operation in FuzzCorpus.operations where isOne(in: 3) { send(maskedFrame(1, operation), from: id) }
        }
        drain(id)
    }

    private func send(_ bytes: [UInt8], from id: ConnectionID) {
        let pieces = bytes.count < 2_000 && isOne(in: 10) ? mutator.random.pieces(of: bytes) : [bytes[...]]
        for piece in pieces {
            let piece = Array(piece)
            let queued = server.queuedByteCount
            timed { server.received(piece.span, from: id, now: world.now) }
            let growth = server.queuedByteCount - queued
            // The message that fills the queue is the last but one.
            expect(growth <= 2 * Self.limits.queuedControlByteCount, "\(growth) bytes more are queued")
        }
    }

    private func close(_ id: ConnectionID) {
        guard peers.removeValue(forKey: id) != nil else { return }
        server.closed(id, now: world.now)
    }

    /// What the server has for the client; then the client's pong, and its end if the server wants it.
    private func drain(_ id: ConnectionID) {
        guard var peer = peers[id] else { return }
        var left = peer.window
        var outcome = SendOutcome.idle
        server.unblocked(id)
        timed {
            outcome = server.send(to: id) { outgoing in
                let bytes = outgoing.bytes
                let taken = min(left, bytes.count)
                left -= taken
                peer.reader.take(Array(bytes[..<taken]))
                return taken
            }
        }
        for fault in peer.reader.faults { faults.append("client \(id.index) was sent \(fault)") }
        if id != wellBehaved {
            for status in peer.reader.statuses {
                statusKinds.insert(status.split(separator: " ").prefix(3).joined(separator: " "))
            }
            dataCount += peer.reader.dataCount
            (peer.reader.statuses, peer.reader.dataCount) = ([], 0)
        }
        let pingCount = peer.reader.pingCount
        peer.reader.pingCount = 0
        peers[id] = peer
        if pingCount > 0, id == wellBehaved || !isOne(in: 3) { send(maskedFrame(10, []), from: id) }
        // Who is finished may linger, and go on to talk.
        if outcome == .drop || outcome == .finished && isOne(in: 2) { close(id) }
    }

    private func playTick() {
        let channels = (0..<Self.channelCount).filter { _ in isOne(in: 2) }
        let size = isOne(in: 4) ? 20_000 : 50
        timed { world.tick(channels, size: size) }
        for id in peers.keys.sorted(by: { $0.index < $1.index }) where id != wellBehaved { drain(id) }
        playWellBehaved(isPublished: channels.contains(0))
    }

    // MARK: The client that behaves

    private func openWellBehaved() {
        peers[wellBehaved] = Peer()
        server.opened(wellBehaved, from: "10.0.1.1", now: world.now)
        send(FuzzCorpus.handshakes[0], from: wellBehaved)
        send(
            maskedFrame(1, Array(#"{"op":"subscribe","subscriptions":[{"id":5,"channelId":1}]}"#.utf8)),
            from: wellBehaved)
        world.advance(milliseconds: 60)
        world.tick()
        drain(wellBehaved)
    }

    /// It gets its data and its answers, whatever the others do.
    private func playWellBehaved(isPublished: Bool) {
        let mistake = #"{"op":"subscribe","subscriptions":[{"id":6,"channelId":4000000000}]}"#
        send(maskedFrame(1, Array(mistake.utf8)), from: wellBehaved)
        peers[wellBehaved]?.reader.statuses = []
        peers[wellBehaved]?.reader.dataCount = 0
        drain(wellBehaved)
        let reader = peers[wellBehaved]?.reader
        if reader?.statuses != ["Unknown channel ID: 4000000000"] {
            faults.append("the client that behaves was told \(reader?.statuses ?? [])")
        }
        if reader?.dataCount != (isPublished ? 1 : 0) {
            faults.append("the client that behaves got \(reader?.dataCount ?? 0) messages, published: \(isPublished)")
        }
    }

    // MARK: Checks

    /// After every input.
    private func check() {
        while let event = server.nextEvent() {
            switch event {
            case .connected: connectedCount += 1
            case .disconnected: connectedCount -= 1
            case .listening(let channel, _):
                if !listening.insert(channel).inserted { faults.append("\(channel) has its first listener twice") }
            case .idle(let channel):
                if listening.remove(channel) == nil { faults.append("\(channel) lost a listener it never had") }
            case .published: publishedCount += 1
            case .parametersRequested(let request): answer(request)
            case .serviceCalled(let call): answer(call)
            case .assetRequested(let request): server.answer(request, with: [1])
            case .playbackRequested(_, let request): answer(request)
            case .resourceRequested(let request): answer(request)
            case .refused: break
            }
        }
        expect(server.clientCount == connectedCount, "clients: \(server.clientCount), \(connectedCount) by events")
        expect(server.clientCount <= Self.limits.clients, "clients: \(server.clientCount)")
        expect(
            server.subscriptionCount <= server.clientCount * Self.channelCount,
            "subscriptions: \(server.subscriptionCount) of \(server.clientCount) clients")
        // Between two looks at the memory each connection may fill its own limits; arrays grow by doubling.
        let ofOne =
            Self.limits.connection.message.messageByteCount + Self.limits.queuedControlByteCount
            + Self.limits.connection.requestHeadByteCount
        let bound = Self.limits.ring.byteCount + 2 * ofOne * peers.count
        expect(server.heldByteCount <= bound, "memory: \(server.heldByteCount) of \(bound)")
    }

    // MARK: The owner

    /// With what was set, as a careless owner would.
    private func answer(_ request: ParameterRequest) {
        requestCount += 1
        let values = request.assignments ?? request.names.map { Parameter(name: $0, value: .float(1)) }
        timed { server.answer(request, with: values) }
        timed { server.publish(values) }
    }

    private func answer(_ request: ResourceRequest) {
        resourceCount += 1
        switch Int.random(in: 0..<3, using: &mutator.random) {
        case 0: timed { server.answer(request, with: HTTPResponse(200, "OK", text: "ok")) }
        case 1: timed { server.answer(request, with: Self.largeResource) }
        // Until its time is over.
        default: break
        }
    }

    private static let largeResource = HTTPResponse(
        200, "OK", contentType: "text/plain", body: Array(repeating: UInt8(ascii: "x"), count: 50_000))

    private func answer(_ call: ServiceCall) {
        callCount += 1
        switch Int.random(in: 0..<3, using: &mutator.random) {
        case 0: timed { server.respond(to: call, with: call.payload) }
        case 1: timed { server.fail(call, "no") }
        // Until its time is over.
        default: break
        }
    }

    private func answer(_ request: PlaybackRequest) {
        playbackCount += 1
        let state = PlaybackState(
            status: .paused, time: request.seekTime ?? Timestamp(unixNanoseconds: 0), speed: request.speed,
            didSeek: request.seekTime != nil)
        timed { server.publish(state, answering: isOne(in: 2) ? request : nil) }
    }

    /// Time-outs and memory are looked at once a second; then the limit on all memory is kept.
    private func keepHouse() {
        world.advance(milliseconds: 1_001)
        playTick()
        let held = server.heldByteCount
        expect(held <= Self.limits.clientMemoryByteCount, "memory after housekeeping: \(held)")
    }

    /// Everybody goes: nothing stays behind.
    func endEra() {
        keepHouse()
        for id in Array(peers.keys) { close(id) }
        check()
        expect(server.clientCount == 0 && server.subscriptionCount == 0 && listening.isEmpty, "somebody stayed")
        expect(server.queuedByteCount == 0 && server.queuedFrameCount == 0, "something is queued for nobody")
        expect(server.heldByteCount <= emptyByteCount, "memory for nobody: \(server.heldByteCount)")
    }

    private func expect(_ isTrue: Bool, _ fault: @autoclosure () -> String) {
        if !isTrue { faults.append(fault()) }
    }

    private func timed(_ body: () -> Void) {
        let duration = ContinuousClock().measure(body)
        expect(duration < .seconds(1), "one call took \(duration)")
    }

    private func isOne(in count: UInt64) -> Bool { mutator.random.isOne(in: count) }
}

extension Collection<UInt8> {
    fileprivate var debugText: String { String(decoding: self, as: UTF8.self).debugDescription }
}
