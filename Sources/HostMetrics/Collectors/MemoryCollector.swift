internal import TelemetrySchema

/// `/memory`: /proc/meminfo (proc_meminfo(5)).
struct MemoryCollector: Collector, ~Copyable {
    static let topic = "/memory"
    static let defaultHertz = 5.0

    private var file: ProcFile
    private var info = MemoryInfo()
    private let clock: () -> ClockReading
    private let pageSizeBytes: Int128
    /// Opened when it is first needed: kernels since 3.14 make their own estimate.
    private var zoneInfo: ProcFile?
    private let zoneInfoPath: String

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/meminfo", byteCapacity: 8_192)
        clock = host.clock
        pageSizeBytes = Int128(host.facts.pageSizeBytes)
        zoneInfoPath = "\(host.procfs)/zoneinfo"
    }

    mutating func sample(_ context: SampleContext, into message: inout MemoryMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock, into: &info))
        guard let total = info[.total], total > 0 else { throw .nothingUsable }
        message.setLines(info)
        message.availableBytes = info.number(.available)
        if !(message.availableBytes > 0 && message.availableBytes <= message.totalBytes) {
            message.availableIsEstimate = 1
            message.availableBytes = estimate(total: total)
        }
        message.setDerived()
        sample.entryCount = 1
        sample.parseErrorCount = info.parseErrorCount
        return sample
    }

    /// The formula of procps and psutil for kernels that do not make the estimate themselves.
    private mutating func estimate(total: UInt64) -> Double {
        guard let free = info[.free].map({ Int128($0) }) else { return .nan }
        var available: Int128
        if let active = info[.activeFile], let inactive = info[.inactiveFile] {
            let low = lowWatermarkBytes()
            let cache = Int128(active) + Int128(inactive)
            available = free - low + cache - min(cache / 2, low)
            if let reclaimable = info[.slabReclaimable].map({ Int128($0) }) {
                available += reclaimable - min(reclaimable / 2, low)
            }
        } else {
            available = free + Int128(info[.buffers] ?? 0) + Int128(info[.cached] ?? 0)
        }
        return Double(max(0, min(available, Int128(total))))
    }

    private mutating func lowWatermarkBytes() -> Int128 {
        do throws(CollectError) {
            var file: ProcFile
            if let kept = zoneInfo.take() {
                file = kept
            } else {
                file = try ProcFile(path: zoneInfoPath, byteCapacity: 16_384)
            }
            _ = try file.readByLines(clock)
            let pages = ZoneInfo.lowPageCount(parsing: file.text)
            zoneInfo = consume file
            return pages * pageSizeBytes
        } catch { return 0 }
    }
}

extension MemoryMessage {
    /// What is published as it is read.
    fileprivate mutating func setLines(_ info: borrowing MemoryInfo) {
        totalBytes = info.number(.total)
        freeBytes = info.number(.free)
        buffersBytes = info.number(.buffers)
        cachedBytes = info.number(.cached)
        shmemBytes = info.number(.shmem)
        anonymousBytes = info.number(.anonymous)
        mappedBytes = info.number(.mapped)
        activeBytes = info.number(.active)
        inactiveBytes = info.number(.inactive)
        unevictableBytes = info.number(.unevictable)
        lockedBytes = info.number(.locked)
        dirtyBytes = info.number(.dirty)
        writebackBytes = info.number(.writeback)
        slabBytes = info.number(.slab)
        slabReclaimableBytes = info.number(.slabReclaimable)
        slabUnreclaimableBytes = info.number(.slabUnreclaimable)
        kernelStackBytes = info.number(.kernelStack)
        pageTablesBytes = info.number(.pageTables)
        percpuBytes = info.number(.percpu)
        vmallocUsedBytes = info.number(.vmallocUsed)
        commitLimitBytes = info.number(.commitLimit)
        committedBytes = info.number(.committed)
        anonymousHugeBytes = info.number(.anonymousHuge)
        hardwareCorruptedBytes = info.number(.hardwareCorrupted)
        swapTotalBytes = info.number(.swapTotal)
        swapFreeBytes = info.number(.swapFree)
        swapCachedBytes = info.number(.swapCached)
        zswapBytes = info.number(.zswap)
        zswappedBytes = info.number(.zswapped)
        hugePageSizeBytes = info.number(.hugePageSize)
        hugePagesTotalBytes = info.number(.hugePagesTotal) * hugePageSizeBytes
        hugePagesFreeBytes = info.number(.hugePagesFree) * hugePageSizeBytes
        hugePagesReservedBytes = info.number(.hugePagesReserved) * hugePageSizeBytes
        hugePagesSurplusBytes = info.number(.hugePagesSurplus) * hugePageSizeBytes
    }

    /// What follows from other fields; NaN where one of them is.
    fileprivate mutating func setDerived() {
        usedBytes = totalBytes - availableBytes
        usedRatio = usedBytes / totalBytes
        let cache = buffersBytes + cachedBytes + slabReclaimableBytes
        usedWithoutCacheBytes = (totalBytes - freeBytes - cache).notNegative
        pageCacheBytes = (cache - shmemBytes).notNegative
        swapUsedBytes = (swapTotalBytes - swapFreeBytes).notNegative
        swapUsedRatio = swapUsedBytes / swapTotalBytes
    }
}
