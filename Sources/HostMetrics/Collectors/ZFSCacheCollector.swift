internal import TelemetrySchema

/// `/zfs`: /proc/spl/kstat/zfs/arcstats, lines of name, type and number.
struct ZFSCacheCollector: Collector, ~Copyable {
    static let topic = "/zfs"
    static let defaultHertz = 1.0

    /// The lines that are used.
    private enum Line: Int, CaseIterable {
        case size, target, minimum, maximum, recent, frequent, compressed, uncompressed
        case hits, ioHits, misses, evicted, throttles
        case l2Size, l2Stored, l2Header, l2Hits, l2Misses, l2Read, l2Written, l2BadChecksums, l2Errors

        var name: StaticString {
            switch self {
            case .size: "size"
            case .target: "c"
            case .minimum: "c_min"
            case .maximum: "c_max"
            case .recent: "mru_size"
            case .frequent: "mfu_size"
            case .compressed: "compressed_size"
            case .uncompressed: "uncompressed_size"
            case .hits: "hits"
            case .ioHits: "iohits"
            case .misses: "misses"
            case .evicted: "deleted"
            case .throttles: "memory_throttle_count"
            case .l2Size: "l2_size"
            case .l2Stored: "l2_asize"
            case .l2Header: "l2_hdr_size"
            case .l2Hits: "l2_hits"
            case .l2Misses: "l2_misses"
            case .l2Read: "l2_read_bytes"
            case .l2Written: "l2_write_bytes"
            case .l2BadChecksums: "l2_cksum_bad"
            case .l2Errors: "l2_io_error"
            }
        }
    }

    private var file: ProcFile
    private var numbers = NamedNumbers(Line.allCases.map(\.name), columnCount: 3)
    private let clock: () -> ClockReading
    /// A row for each line that counts, since each may be missing by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 9)

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/spl/kstat/zfs/arcstats", byteCapacity: 16_384)
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout ZfsCacheMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.readByLines(clock, into: &numbers))
        guard !numbers.isEmpty else { throw .nothingUsable }
        setSizes(&message)
        baselines.begin(at: sample.time.monotonic, context: context)
        setRates(&message)
        baselines.end()
        message.hitsTotal = total(.hits)
        message.missesTotal = total(.misses)
        message.evictedTotal = total(.evicted)
        message.throttlesTotal = total(.throttles)
        message.l2HitsTotal = total(.l2Hits)
        message.l2MissesTotal = total(.l2Misses)
        message.l2ErrorsTotal = total(.l2BadChecksums) &+ total(.l2Errors)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = 1
        sample.parseErrorCount = numbers.parseErrorCount
        sample.resetCount = baselines.resetCount
        return sample
    }

    private func setSizes(_ message: inout ZfsCacheMessage) {
        message.sizeBytes = number(.size)
        message.targetBytes = number(.target)
        message.minimumBytes = number(.minimum)
        message.maximumBytes = number(.maximum)
        message.sizeRatio = share(message.sizeBytes, of: message.maximumBytes)
        message.recentBytes = number(.recent)
        message.frequentBytes = number(.frequent)
        message.compressedBytes = number(.compressed)
        message.uncompressedBytes = number(.uncompressed)
        message.l2SizeBytes = number(.l2Size)
        message.l2StoredBytes = number(.l2Stored)
        message.l2HeaderBytes = number(.l2Header)
    }

    private mutating func setRates(_ message: inout ZfsCacheMessage) {
        message.hitsPerSecond = rate(.hits)
        message.ioHitsPerSecond = rate(.ioHits)
        message.missesPerSecond = rate(.misses)
        // Older modules have no line for lookups that joined a read.
        let joined = numbers[Line.ioHits.rawValue] == nil ? 0 : message.ioHitsPerSecond
        message.hitRatio = share(message.hitsPerSecond, of: message.hitsPerSecond + joined + message.missesPerSecond)
        message.evictedPerSecond = rate(.evicted)
        message.throttlesPerSecond = rate(.throttles)
        message.l2HitsPerSecond = rate(.l2Hits)
        message.l2MissesPerSecond = rate(.l2Misses)
        message.l2HitRatio = share(message.l2HitsPerSecond, of: message.l2HitsPerSecond + message.l2MissesPerSecond)
        message.l2ReadBytesPerSecond = rate(.l2Read)
        message.l2WriteBytesPerSecond = rate(.l2Written)
    }

    /// NaN: no such line, or no valid number in it.
    private func number(_ line: Line) -> Double { numbers[line.rawValue].map { Double($0) } ?? .nan }

    /// 0: not known.
    private func total(_ line: Line) -> UInt64 { numbers[line.rawValue] ?? 0 }

    private mutating func rate(_ line: Line) -> Double {
        guard let counter = numbers[line.rawValue] else { return .nan }
        return baselines.rate(UInt64(line.rawValue), .bits64, counter)
    }

    /// NaN of nothing.
    private func share(_ part: Double, of whole: Double) -> Double { whole > 0 ? part / whole : .nan }
}
