internal import COpenSSL
internal import Telemetry

/// What a listener needs to speak TLS: 1.2 or later, preferably 1.3.
///
/// The files are looked at again when a handshake begins, so that a renewed certificate needs no restart. Connections
/// keep what they began with. Belongs to the thread of the loop that listens with it.
package final class TLSContext {
    /// What becomes of changed files.
    package enum Report: Equatable, Sendable {
        /// New connections get the new certificate.
        case certificateReloaded
        /// New connections get the old one.
        case certificateRejected(reason: String)
    }

    /// Between two looks at the files, so that a flood of clients does not become one of system calls.
    private static let lookPeriod = Period.seconds(1)

    private let files: TLSFiles
    private let report: (Report) -> Void
    private var handle: TLSHandle
    private var stamps: [TLSFiles.Stamp?]
    private var lastLook: Instant?

    /// Reads the certificate with its chain and its key, all PEM. The key's file must be closed to other users.
    ///
    /// With a `clientAuthority` clients are asked for a certificate. Those that have none are let in; those that show
    /// one that none of these authorities signed are not.
    ///
    /// `report` hears once of every change of the files after this.
    package init(
        certificate: String, key: String, clientAuthority: String? = nil, report: @escaping (Report) -> Void = { _ in }
    ) throws(TLSError) {
        files = TLSFiles(certificate: certificate, key: key, clientAuthority: clientAuthority)
        self.report = report
        // Before they are read: what changes in between is seen the next time.
        stamps = files.stamps
        handle = try files.load()
    }

    /// Reads the files now, changed or not, and reports what came of it: for a signal that asks for it.
    package func reload() {
        stamps = files.stamps
        do throws(TLSError) {
            handle = try files.load()
            report(.certificateReloaded)
        } catch {
            report(.certificateRejected(reason: error.reason))
        }
    }

    /// A session for a connection that begins its handshake now; nil without memory.
    func makeSession(now: Instant) -> TLSSession? {
        if lastLook.map({ $0 + Self.lookPeriod <= now }) ?? true {
            lastLook = now
            if files.stamps != stamps { reload() }
        }
        return TLSSession(handle)
    }
}
