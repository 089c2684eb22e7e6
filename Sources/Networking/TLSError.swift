internal import COpenSSL
internal import Glibc

/// Why a listener cannot use its certificates.
package struct TLSError: Error, Equatable, Sendable {
    /// One line that names the file and the way out.
    package var reason: String

    init(_ reason: String) { self.reason = reason }

    /// A file that cannot be opened.
    init(opening file: String, code: Int32) {
        self.init(unsafe "cannot read \(file): \(String(cString: strerror(code)))")
    }

    /// A file that the library does not take; `advice` says what it must be.
    init(using file: String, advice: String) {
        let reason = unsafe ERR_reason_error_string(ERR_peek_last_error())
        let text = unsafe reason.map { unsafe String(cString: $0) } ?? "unknown error"
        self.init("cannot use \(file): \(text); \(advice)")
    }
}
