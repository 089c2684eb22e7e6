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
            switch try Options.parse() {
            case .help: print(Options.help)
            case .version: print("sysmon-agent \(agentVersion)")
            case .newToken(let command): try command.run()
            case .listChannels(let command): try command.run()
            case .run(let options):
                let log = Log(level: options.logLevel ?? .info, format: options.logFormat)
                exit(Service(options: options, log: log).runToEnd())
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
