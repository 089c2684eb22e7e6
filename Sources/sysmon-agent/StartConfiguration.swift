import FoxgloveProtocol
import HostMetrics
import SysmonAgent

/// The configuration that the host sets: defaults, then the file of `--config`, then options.
struct StartConfiguration {
    let options: Options
    let hostSettings: [Parameter]

    private static let fileByteLimit = 1 << 20

    /// Made anew, from the file as it is now.
    func read() throws(Failure) -> Configuration {
        var configuration = Agent.defaultConfiguration(allCollectors, hostSettings: hostSettings)
        if let path = options.configuration {
            let file: SmallFile
            do throws(SmallFile.Fault) { file = try SmallFile(path: path, byteLimit: Self.fileByteLimit) } catch {
                throw Failure(text: "--config \(error.text)")
            }
            guard file.bytes.count <= Self.fileByteLimit else {
                throw Failure(text: "--config \(path): longer than \(Self.fileByteLimit) bytes")
            }
            do throws(Configuration.Refusal) { try configuration.apply(patch: file.bytes, by: .host) } catch {
                throw Failure(text: "--config \(path): \(error.text.trimmingPrefix("/config: "))")
            }
        }
        for (topic, hertz) in options.rates {
            do throws(Configuration.Refusal) {
                try configuration.set("rate_hertz", of: topic, to: .number(hertz))
            } catch { throw Failure(text: "--rate \(topic)=\(hertz): \(error.text)", status: 2) }
        }
        if let level = options.logLevel { configuration.logLevel = "\(level)" }
        return configuration
    }
}
