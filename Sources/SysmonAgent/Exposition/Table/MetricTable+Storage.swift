extension MetricTable {
    static let disks: [MetricFamily] = {
        let disks = Entries("/disk", "devices", labels: [.init("device", "id")])
        return [
            disks.counter("node_disk_reads_completed_total", "reads_total", "Reads completed."),
            disks.counter("node_disk_reads_merged_total", "reads_merged_total", "Reads merged with a neighbour."),
            disks.counter("node_disk_read_bytes_total", "read_bytes_total", "Bytes read."),
            disks.counter("node_disk_read_time_seconds_total", "read_seconds_total", "Seconds of all reads together."),
            disks.counter("node_disk_writes_completed_total", "writes_total", "Writes completed."),
            disks.counter("node_disk_writes_merged_total", "writes_merged_total", "Writes merged with a neighbour."),
            disks.counter("node_disk_written_bytes_total", "write_bytes_total", "Bytes written."),
            disks.counter(
                "node_disk_write_time_seconds_total", "write_seconds_total", "Seconds of all writes together."),
            disks.gauge("node_disk_io_now", "in_flight", "Requests under way."),
            disks.counter(
                "node_disk_io_time_seconds_total", "io_seconds_total", "Seconds with a request under way."),
            disks.counter(
                "node_disk_io_time_weighted_seconds_total", "weighted_io_seconds_total",
                "Seconds with requests under way, counted for each of them."),
            disks.counter("node_disk_discards_completed_total", "discards_total", "Discards completed."),
            disks.counter("node_disk_discards_merged_total", "discards_merged_total", "Discards merged."),
            disks.counter(
                "node_disk_discarded_sectors_total", .times("discard_bytes_total", 1.0 / 512), "Sectors discarded."),
            disks.counter(
                "node_disk_discard_time_seconds_total", "discard_seconds_total", "Seconds of all discards together."),
            disks.counter("node_disk_flush_requests_total", "flushes_total", "Flushes completed."),
            disks.counter(
                "node_disk_flush_requests_time_seconds_total", "flush_seconds_total",
                "Seconds of all flushes together."),
        ]
    }()

    static let storage: [MetricFamily] = filesystems + arrays + zfs + nfs

    private static let filesystems: [MetricFamily] = {
        let labels: [MetricFamily.Label] = [
            .init("mountpoint", "id"), .init("device", "device"), .init("fstype", "fs_type"),
        ]
        let all = Entries("/filesystem", "filesystems", labels: labels)
        let answering = Entries(
            "/filesystem", "filesystems", labels: labels, only: .init(field: "state", test: .equals("STATE_OK")))
        return [
            answering.gauge("node_filesystem_size_bytes", "size_bytes", "Size of the filesystem."),
            answering.gauge("node_filesystem_free_bytes", "free_bytes", "Free, that reserved for root included."),
            answering.gauge("node_filesystem_avail_bytes", "available_bytes", "Free for others than root."),
            answering.gauge("node_filesystem_files", "files_total", "Inodes."),
            answering.gauge("node_filesystem_files_free", "files_free", "Inodes that are free."),
            answering.gauge("node_filesystem_readonly", "read_only", "Whether it is mounted read-only."),
            all.gauge("node_filesystem_device_error", .isNotText("state", "STATE_OK"), "Whether it did not answer."),
        ]
    }()

    private static let arrays: [MetricFamily] = {
        let label = MetricFamily.Label("device", "id")
        let arrays = Entries("/md", "arrays", labels: [label])
        return [
            arrays.family(
                "node_md_state", .gauge,
                MetricFamily.states(
                    "state", "state",
                    [
                        "active": "STATE_ACTIVE", "inactive": "STATE_INACTIVE", "recovering": "STATE_RECOVERY",
                        "resync": "STATE_RESYNC", "check": "STATE_CHECK", "reshape": "STATE_RESHAPE",
                    ]), "What the array is, or what it does: 1 of that."),
            arrays.gauge("node_md_disks_required", "disks_required", "Disks of a whole array."),
            arrays.family(
                "node_md_disks", .gauge,
                MetricFamily.split(
                    "state", ["active": "disks_active", "failed": "disks_failed", "spare": "disks_spare"]),
                "Disks by state."),
            arrays.gauge("sysmon_md_disks_down", "disks_down", "Disks that are missing."),
            arrays.gauge("node_md_blocks", .times("size_bytes", 1.0 / 1_024), "Size of the array in KiB."),
            arrays.gauge("sysmon_md_sync_ratio", "sync_ratio", "How far the resync or check under way is, 0 to 1."),
        ]
    }()

    private static let zfs: [MetricFamily] = {
        let cache = Entries("/zfs")
        let fields: KeyValuePairs = [
            "size": "size_bytes", "c": "target_bytes", "c_min": "minimum_bytes", "c_max": "maximum_bytes",
            "mru_size": "recent_bytes", "mfu_size": "frequent_bytes", "compressed_size": "compressed_bytes",
            "uncompressed_size": "uncompressed_bytes", "hits": "hits_total", "misses": "misses_total",
            "deleted": "evicted_total", "memory_throttle_count": "throttles_total", "l2_size": "l2_size_bytes",
            "l2_asize": "l2_stored_bytes", "l2_hdr_size": "l2_header_bytes", "l2_hits": "l2_hits_total",
            "l2_misses": "l2_misses_total",
        ]
        return fields.map { cache.unknown("node_zfs_arc_\($0.key)", $0.value, "\($0.key) of arcstats.") }
    }()

    private static let nfs: [MetricFamily] = {
        let client = Entries("/nfs", "client")
        let server = Entries("/nfs", "server")
        return [
            client.counter("node_nfs_rpcs_total", "calls_total", "Calls sent."),
            client.counter("node_nfs_rpc_retransmissions_total", "retransmissions_total", "Calls sent again."),
            client.counter(
                "node_nfs_rpc_authentication_refreshes_total", "authentication_refreshes_total",
                "Credentials renewed."),
            server.counter("node_nfsd_server_rpcs_total", "calls_total", "Calls received."),
            server.counter("sysmon_nfsd_bad_calls_total", "bad_calls_total", "Calls refused."),
            server.counter("node_nfsd_disk_bytes_read_total", "read_bytes_total", "Bytes read for clients."),
            server.counter("node_nfsd_disk_bytes_written_total", "write_bytes_total", "Bytes written for clients."),
            server.gauge("node_nfsd_server_threads", "threads", "Threads that serve."),
            server.counter(
                "node_nfsd_reply_cache_hits_total", "reply_cache_hits_total",
                "Repeated calls answered from the cache."),
            server.counter(
                "node_nfsd_reply_cache_misses_total", "reply_cache_misses_total", "Calls that went into the cache."),
            server.counter(
                "node_nfsd_reply_cache_nocache_total", "reply_cache_bypasses_total", "Calls that need no cache."),
            Entries("/nfs", "operations", labels: [.init("operation", "id")]).counter(
                "sysmon_nfs_operations_total", "calls_total", "Calls by side, version and operation."),
        ]
    }()
}
