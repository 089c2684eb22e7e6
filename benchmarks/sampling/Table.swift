import CAllocationCounter
import HostMetrics
import Telemetry

/// A line for each channel of a host: the size of its message, and what a sample costs.
struct Table {
    /// A channel gets so many samples, or as many as fit into this time.
    private static let sampleCountMax = 2_000
    private static let secondsMax = 2.0
    private static let sampleCountMin = 20

    static func printHead() {
        print("| host | channel | bytes | p50 us | p99 us | allocations |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
    }

    static func printRows(of name: String, _ host: SampledHost) {
        for (index, registration) in host.registrations.enumerated() {
            guard !registration.isEventDriven else { continue }
            let one = [index]
            var byteCount = 0
            for _ in 0..<sampleCountMin {
                host.wait(for: index)
                byteCount = host.sample(one)
            }
            var times: [Double] = []
            times.reserveCapacity(sampleCountMax)
            let begin = SystemClock.monotonic()
            let allocations = allocation_count()
            while times.count < sampleCountMin
                || times.count < sampleCountMax && SystemClock.monotonic().seconds(since: begin) < secondsMax
            {
                host.wait(for: index)
                let start = SystemClock.monotonic()
                byteCount = host.sample(one)
                times.append(SystemClock.monotonic().seconds(since: start) * 1e6)
            }
            let perSample = Double(allocation_count() - allocations) / Double(times.count)
            times.sort()
            let columns = [
                name, "`\(registration.channel.topic)`", "\(byteCount)", decimal(times[times.count / 2]),
                decimal(times[times.count * 99 / 100]), decimal(perSample),
            ]
            print("| \(columns.joined(separator: " | ")) |")
        }
    }

    private static func decimal(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
