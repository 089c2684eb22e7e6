internal import Telemetry

/// How much the counters of block devices grew since their baselines.
struct DiskBaselines {
    typealias Field = DiskCounters.Field

    /// Of one device; NaN where a counter is not told, is new or was reset.
    struct Growth {
        fileprivate var values: [17 of Double] = .init(repeating: .nan)
        subscript(field: Field) -> Double { values[field.rawValue] }
    }

    /// If one of these falls, the device is another one, whatever its name.
    private static let basic: [Field] = [.reads, .readsMerged, .sectorsRead, .writes, .writesMerged, .sectorsWritten]
    /// These may fall, each by itself.
    private static let times: [Field] = [.readMilliseconds, .writeMilliseconds, .ioMilliseconds, .weightedMilliseconds]

    /// A row of a device has the basic counters; a row of one of its other counters only that.
    private var devices = Baselines(columnCount: 6, rowCapacity: 16)
    private var counters = Baselines(columnCount: 1, rowCapacity: 144)
    private let wordWidth: Baselines.Width

    init(wordWidth: Baselines.Width) { self.wordWidth = wordWidth }

    var intervalSeconds: Double { devices.intervalSeconds }
    var resetCount: Int { devices.resetCount + counters.resetCount }

    mutating func begin(at time: Instant, context: SampleContext) {
        devices.begin(at: time, context: context)
        counters.begin(at: time, context: context)
    }

    mutating func end() {
        devices.end()
        counters.end()
    }

    /// To be called once for each device between begin and end.
    mutating func growth(of device: UInt64, _ read: DiskCounters) -> Growth {
        var growth = Growth()
        let basic = Self.basic
        var columns: [6 of UInt64] = .init(repeating: 0)
        for column in basic.indices { columns[column] = read[basic[column]] }
        let row = devices.addCounters(id: device, width: wordWidth, columns.span)
        if row.hasBaseline {
            for column in basic.indices {
                growth.values[basic[column].rawValue] = Double(devices.difference(row, column: column))
            }
        }
        let isKnown = row.hasBaseline
        // Milliseconds have 32 bits on every kernel.
        for field in Self.times { add(field, .bits32, device, read, isKnown, &growth) }
        if read.hasDiscards {
            add(.discards, wordWidth, device, read, isKnown, &growth)
            add(.sectorsDiscarded, wordWidth, device, read, isKnown, &growth)
            add(.discardMilliseconds, .bits32, device, read, isKnown, &growth)
        }
        if read.hasFlushes {
            add(.flushes, wordWidth, device, read, isKnown, &growth)
            add(.flushMilliseconds, .bits32, device, read, isKnown, &growth)
        }
        return growth
    }

    private mutating func add(
        _ field: Field, _ width: Baselines.Width, _ device: UInt64, _ read: DiskCounters, _ isKnown: Bool,
        _ growth: inout Growth
    ) {
        let row = counters.addCounter(id: device &* 32 &+ UInt64(field.rawValue), width: width, read[field])
        guard isKnown, row.hasBaseline else { return }
        growth.values[field.rawValue] = Double(counters.difference(row, column: 0))
    }
}
