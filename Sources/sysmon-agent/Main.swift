import CLinux
import Glibc
import SysmonAgent

@main
struct Main {
    static func main() {
        // Threads that look for slow sources come and go with clients; a heap for each would keep what they once had.
        mallopt(M_ARENA_MAX, 1)
        fillStandardDescriptors()
        do {
            try dispatch(Array(CommandLine.arguments.dropFirst()))
        } catch let error as UsageError {
            writeError(error.text)
            exit(2)
        } catch let failure as Failure {
            for line in failure.text.split(separator: "\n") { writeError(String(line)) }
            exit(failure.status)
        } catch {
            writeError("\(error)")
            exit(1)
        }
    }
}
