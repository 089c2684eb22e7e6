import CLinux
import Glibc
import SysmonAgent

@main
struct Main {
    static func main() {
        // Threads that look for slow sources come and go with clients; a heap for each would keep what they once had.
        mallopt(M_ARENA_MAX, 1)
        do {
            switch try Options.parse() {
            case .help: print(Options.help)
            case .version: print("sysmon-agent \(agentVersion)")
            case .newToken(let command): try command.run()
            case .list(let command): try command.run()
            case .cat(let command): try command.run()
            case .top(let command): try command.run()
            case .once(let command): try command.run()
            case .run(let options): try Service(options: options, log: Log(level: options.logLevel ?? .info)).run()
            }
        } catch let mistake as Options.Mistake {
            writeError(mistake.text)
            exit(2)
        } catch let failure as Service.Failure {
            writeError(failure.text)
            exit(failure.status)
        } catch {
            writeError("\(error)")
            exit(1)
        }
    }
}
