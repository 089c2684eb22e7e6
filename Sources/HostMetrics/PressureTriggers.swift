internal import CLinux
internal import Glibc

/// Tells of stalls while they happen (proc_pressure(5), Documentation/accounting/psi.rst): the kernel makes a
/// descriptor urgently readable (POLLPRI) when tasks have stalled for longer than a threshold within a window.
///
/// Empty where the kernel has no pressure information, or does not let this process register triggers (before Linux
/// 6.4 that needs CAP_SYS_RESOURCE).
package final class PressureTriggers: Sendable {
    /// 150 ms of any 2 s; windows of multiples of 2 s need no privilege.
    private static let trigger: StaticString = "some 150000 2000000"

    /// At most once per window and resource.
    package let descriptors: [Int32]

    package init(procfs: String) {
        descriptors = ["memory", "io"].compactMap { resource in
            let descriptor = unsafe open("\(procfs)/pressure/\(resource)", O_RDWR | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            // A copy of another host's files is not written to.
            guard Self.isKernels(descriptor) else {
                close(descriptor)
                return nil
            }
            // The NUL belongs to the trigger.
            let count = Self.trigger.utf8CodeUnitCount + 1
            guard unsafe write(descriptor, Self.trigger.utf8Start, count) == count else {
                close(descriptor)
                return nil
            }
            return descriptor
        }
    }

    /// Whether the file is one of procfs (PROC_SUPER_MAGIC of linux/magic.h).
    private static func isKernels(_ descriptor: Int32) -> Bool {
        var answer = statfs()
        return unsafe fstatfs(descriptor, &answer) == 0 && answer.f_type == 0x9FA0
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
