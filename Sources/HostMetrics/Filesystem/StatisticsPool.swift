internal import Telemetry

/// Asks filesystems for their sizes on a few threads, since a filesystem may never answer.
///
/// A thread that does not come back within the time is written off and replaced, up to a limit; its mount is left
/// alone until the call returned. So a dead server is waited for once.
struct StatisticsPool: ~Copyable {
    struct Question {
        var path: [UInt8]
        /// Whether it is asked even after many calls did not come back.
        var isEssential: Bool
    }

    enum Answer {
        case statistics(FileSystemStatistics, seconds: Double)
        case failure(ErrnoValue, seconds: Double)
        case unresponsive
        /// Too many calls have not come back.
        case notAsked
    }

    private struct Reply: Sendable {
        var result: Result<FileSystemStatistics, ErrnoValue>
        var seconds: Double
    }

    private typealias Thread = Lane<[UInt8], Reply>

    private struct Call {
        var place: Int
        var path: [UInt8]
        var thread: Thread
        var began: UInt64
    }

    private static let threadCount = 4
    /// Dead servers take all but the threads that local filesystems need.
    private static let unessentialCountMax = Limits.statisticsThreadCountMax - threadCount

    private let ask: @Sendable ([UInt8]) -> Result<FileSystemStatistics, ErrnoValue>
    private let timeoutSeconds: Double
    private var idle: [Thread] = []
    private var calls: [Call] = []
    private var hanging: [Call] = []

    init(
        timeoutSeconds: Double, _ ask: @escaping @Sendable ([UInt8]) -> Result<FileSystemStatistics, ErrnoValue>
    ) {
        self.timeoutSeconds = timeoutSeconds
        self.ask = ask
    }

    /// Asks all; answers come in any order, each with the place of its question.
    mutating func ask(_ questions: [Question], _ take: (_ place: Int, Answer) -> Void) {
        takeBackThreads()
        for (place, question) in questions.enumerated() {
            if hanging.contains(where: { $0.path == question.path }) {
                take(place, .unresponsive)
            } else if let thread = freeThread(isEssential: question.isEssential, take) {
                let began = SystemClock.monotonic().nanoseconds
                thread.start(question.path)
                calls.append(Call(place: place, path: question.path, thread: thread, began: began))
            } else {
                take(place, .notAsked)
            }
        }
        while !calls.isEmpty { settleOldest(take) }
    }

    /// Threads that came back after all.
    private mutating func takeBackThreads() {
        var index = 0
        while index < hanging.count {
            guard hanging[index].thread.wait(seconds: 0) != nil else {
                index += 1
                continue
            }
            let thread = hanging.remove(at: index).thread
            if idle.count < Self.threadCount { idle.append(thread) }
        }
    }

    /// Nil: all that may be made hang, or the system has none left.
    private mutating func freeThread(isEssential: Bool, _ take: (Int, Answer) -> Void) -> Thread? {
        let limit = isEssential ? Limits.statisticsThreadCountMax : Self.unessentialCountMax
        while true {
            if calls.count < Self.threadCount, calls.count + hanging.count < limit,
                let thread = idle.popLast() ?? makeThread()
            {
                return thread
            }
            guard !calls.isEmpty else { return nil }
            settleOldest(take)
        }
    }

    private func makeThread() -> Thread? {
        try? Thread("statfs") { [ask] in
            { path in
                let began = SystemClock.monotonic().nanoseconds
                let result = ask(path)
                return Reply(result: result, seconds: Double(SystemClock.monotonic().nanoseconds - began) / 1e9)
            }
        }
    }

    /// Waits for the call that began first, as long as it may take.
    private mutating func settleOldest(_ take: (Int, Answer) -> Void) {
        let call = calls.removeFirst()
        let taken = Double(SystemClock.monotonic().nanoseconds - call.began) / 1e9
        guard let reply = call.thread.wait(seconds: max(0, timeoutSeconds - taken)) else {
            hanging.append(call)
            return take(call.place, .unresponsive)
        }
        idle.append(call.thread)
        switch reply.result {
        case .success(let statistics): take(call.place, .statistics(statistics, seconds: reply.seconds))
        case .failure(let error): take(call.place, .failure(error, seconds: reply.seconds))
        }
    }
}
