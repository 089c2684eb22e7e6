internal import Telemetry

/// Which refusals were told to the owner lately: a flood of them is one line in a log.
struct RefusalNotices: Sendable {
    private struct Notice: Equatable {
        var kind: Refusal.Kind
        var address: String
        var toldAt: Instant
    }

    private let limits: ServerLimits
    private var notices: [Notice] = []

    init(limits: ServerLimits) { self.limits = limits }

    /// Whether the owner is to hear of it. A full memory holds its tongue: the counters still count.
    mutating func mustTell(_ kind: Refusal.Kind, from address: String, now: Instant) -> Bool {
        notices.removeAll { $0.toldAt + limits.refusalNoticeInterval <= now }
        guard notices.count < limits.refusalNotices,
            !notices.contains(where: { $0.kind == kind && $0.address == address })
        else { return false }
        notices.append(Notice(kind: kind, address: address, toldAt: now))
        return true
    }
}
