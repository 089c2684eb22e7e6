internal import TelemetrySchema

/// `/fds`: /proc/sys/fs/file-nr (proc_sys_fs(5)): open files, 0, and how many there may be.
struct FileHandlesCollector: Collector, ~Copyable {
    static let topic = "/fds"
    static let defaultHertz = 1.0

    private var file: ProcFile
    private let clock: () -> ClockReading

    init(host: Host) throws(CollectError) {
        // Small: for these files the kernel takes and clears as much memory as is asked for.
        file = try ProcFile(path: "\(host.procfs)/sys/fs/file-nr", byteCapacity: 256)
        clock = host.clock
    }

    mutating func sample(
        _ context: SampleContext, into message: inout FileHandlesMessage
    ) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock))
        var cursor = ByteCursor(file.text)
        guard case .value(let allocated) = cursor.unsigned(), case .value = cursor.unsigned(),
            case .value(let maximum) = cursor.unsigned()
        else { throw .nothingUsable }
        message.allocated = Double(allocated)
        message.maximum = Double(maximum)
        message.allocatedRatio = maximum > 0 ? message.allocated / message.maximum : .nan
        sample.entryCount = 1
        return sample
    }
}
