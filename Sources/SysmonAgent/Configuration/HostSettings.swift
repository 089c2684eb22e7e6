package import FoxgloveServer

/// What only the owner of a host sets of the server and of where it looks. ``Setting/all`` describes each.
package struct HostSettings: Equatable, Sendable {
    package var host = "127.0.0.1"
    package var port = 8_765
    /// Nil: the host's name.
    package var name: String?
    /// Nil: the start time.
    package var sessionID: String?
    package var tellsTime = false
    /// Besides the default ones.
    package var allowedOrigins: [String] = []
    package var serverNames: [String] = []
    package var tokenFile: String?
    package var isReadOnly = false
    package var isInsecure = false

    /// Both or none.
    package var certificate: String?
    package var key: String?
    package var clientAuthority: String?

    package var procfs = "/proc"
    package var sysfs = "/sys"
    package var rootfs = "/"

    package var logFormat = "logfmt"
    package var limits = ServerLimits()

    package init() {}
}
