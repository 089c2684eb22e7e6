import CSystemd
import HostMetrics
import Networking
import Telemetry

/// systemd, where it started the agent: what it passes (sd_listen_fds(3)) and what it is told (sd_notify(3)). Elsewhere
/// there is nothing to take and nobody to tell.
enum ServiceManager {
    /// The sockets to listen on in place of --host and --port; none: there is no `.socket` unit.
    static func passedSockets() throws(SystemError) -> [PassedSocket] {
        let count = sd_listen_fds(1)
        guard count >= 0 else { throw SystemError("take the sockets that LISTEN_FDS counts", code: -count) }
        var sockets: [PassedSocket] = []
        for descriptor in SD_LISTEN_FDS_START..<SD_LISTEN_FDS_START + count {
            sockets.append(try PassedSocket(descriptor: descriptor))
        }
        return sockets
    }

    /// How often systemd is told that the loop runs: twice in the time that WatchdogSec= gives it.
    static func watchdogPeriod(atMost longest: Period) -> Period {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return longest }
        return Period(nanoseconds: min(longest.nanoseconds / 500, microseconds) * 500) ?? longest
    }

    static func ready() { tell("READY=1") }

    /// Another ``ready()`` follows.
    static func reloading(now: Instant) { tell("RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1_000)") }

    static func stopping() { tell("STOPPING=1") }

    /// The loop runs; `status` is what `systemctl status` shows.
    static func alive(status: String) { tell("WATCHDOG=1\nSTATUS=\(status)") }

    private static func tell(_ state: String) { _ = unsafe sd_notify(0, state) }
}
