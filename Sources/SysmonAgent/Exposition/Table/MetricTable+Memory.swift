extension MetricTable {
    static let memory: [MetricFamily] = meminfo + paging + numa + compressed

    private static let meminfo: [MetricFamily] = {
        let memory = Entries("/memory")
        let sizes: KeyValuePairs = [
            "MemTotal": "total_bytes", "MemFree": "free_bytes", "Buffers": "buffers_bytes", "Cached": "cached_bytes",
            "SwapCached": "swap_cached_bytes",
            "Active": "active_bytes", "Inactive": "inactive_bytes", "Unevictable": "unevictable_bytes",
            "Mlocked": "locked_bytes", "SwapTotal": "swap_total_bytes", "SwapFree": "swap_free_bytes",
            "Zswap": "zswap_bytes", "Zswapped": "zswapped_bytes", "Dirty": "dirty_bytes",
            "Writeback": "writeback_bytes", "AnonPages": "anonymous_bytes", "Mapped": "mapped_bytes",
            "Shmem": "shmem_bytes", "Slab": "slab_bytes", "SReclaimable": "slab_reclaimable_bytes",
            "SUnreclaim": "slab_unreclaimable_bytes", "KernelStack": "kernel_stack_bytes",
            "PageTables": "page_tables_bytes", "CommitLimit": "commit_limit_bytes", "Committed_AS": "committed_bytes",
            "VmallocUsed": "vmalloc_used_bytes", "Percpu": "percpu_bytes",
            "HardwareCorrupted": "hardware_corrupted_bytes", "AnonHugePages": "anonymous_huge_bytes",
            "Hugepagesize": "huge_page_size_bytes",
        ]
        let counts: KeyValuePairs = [
            "HugePages_Total": "huge_pages_total_bytes", "HugePages_Free": "huge_pages_free_bytes",
            "HugePages_Rsvd": "huge_pages_reserved_bytes", "HugePages_Surp": "huge_pages_surplus_bytes",
        ]
        let told = Entries("/memory", only: .init(field: "available_is_estimate", test: .equals("0")))
        return [
            told.gauge("node_memory_MemAvailable_bytes", "available_bytes", "MemAvailable of /proc/meminfo.")
        ]
            + sizes.map { memory.gauge("node_memory_\($0.key)_bytes", $0.value, "\($0.key) of /proc/meminfo.") }
            + counts.map {
                memory.gauge(
                    "node_memory_\($0.key)", .ratio($0.value, of: "huge_page_size_bytes"), "\($0.key) of /proc/meminfo."
                )
            }
    }()

    private static let paging: [MetricFamily] = {
        let paging = Entries("/memory/paging")
        let numbers: KeyValuePairs<String, MetricFamily.Number> = [
            // The kernel counts these in KiB.
            "pgpgin": .times("block_in_bytes_total", 1.0 / 1_024),
            "pgpgout": .times("block_out_bytes_total", 1.0 / 1_024),
            "pswpin": .pages("swap_in_bytes_total"), "pswpout": .pages("swap_out_bytes_total"),
            "pgfault": .field("faults_total"), "pgmajfault": .field("major_faults_total"),
            "oom_kill": .field("oom_kills_total"),
        ]
        return numbers.map { paging.unknown("node_vmstat_\($0.key)", $0.value, "\($0.key) of /proc/vmstat.") }
    }()

    private static let numa: [MetricFamily] = {
        let nodes = Entries("/memory/numa", "nodes", labels: [.init("node", "id")])
        let sizes: KeyValuePairs = [
            "MemTotal": "total_bytes", "MemFree": "free_bytes", "MemUsed": "used_bytes", "Active": "active_bytes",
            "Inactive": "inactive_bytes", "FilePages": "file_bytes", "AnonPages": "anonymous_bytes",
            "Mapped": "mapped_bytes", "Shmem": "shmem_bytes", "Dirty": "dirty_bytes", "Writeback": "writeback_bytes",
            "Slab": "slab_bytes", "SReclaimable": "slab_reclaimable_bytes", "KernelStack": "kernel_stack_bytes",
            "PageTables": "page_tables_bytes", "HugePages_Total": "huge_page_count",
            "HugePages_Free": "huge_page_free_count", "HugePages_Surp": "huge_page_surplus_count",
        ]
        let counters = ["numa_hit", "numa_miss", "numa_foreign", "interleave_hit", "local_node", "other_node"]
        return sizes.map { nodes.gauge("node_memory_numa_\($0.key)", $0.value, "\($0.key) of the node's meminfo.") }
            + counters.map {
                nodes.counter("node_memory_numa_\($0)_total", "\($0)_total", "\($0) of the node's numastat.")
            }
    }()

    private static let compressed: [MetricFamily] = {
        let pages = Entries("/memory/compressed", only: .init(field: "ksm_state", test: .differs("KSM_UNKNOWN")))
        let zram = Entries("/memory/compressed", "zram", labels: [.init("device", "id")])
        return [
            pages.gauge("node_ksmd_pages_shared", .pages("ksm_shared_bytes"), "Pages in use for merged ones."),
            pages.gauge("node_ksmd_pages_sharing", .pages("ksm_sharing_bytes"), "Pages that merging saves."),
            pages.gauge("node_ksmd_pages_unshared", .pages("ksm_unshared_bytes"), "Pages that are unique so far."),
            pages.gauge("node_ksmd_pages_volatile", .pages("ksm_volatile_bytes"), "Pages that change too fast."),
            pages.counter("node_ksmd_full_scans_total", "ksm_full_scans_total", "How often all memory was scanned."),
            zram.gauge("sysmon_zram_disk_bytes", "disk_bytes", "Room for data, before compression."),
            zram.gauge("sysmon_zram_original_bytes", "original_bytes", "Data stored, before compression."),
            zram.gauge("sysmon_zram_compressed_bytes", "compressed_bytes", "Data stored, compressed."),
            zram.gauge("sysmon_zram_used_bytes", "used_bytes", "Memory that it takes."),
        ]
    }()

    static let pressure: [MetricFamily] = {
        let resources: KeyValuePairs = ["cpu": "a CPU", "memory": "memory", "io": "disks"]
        return resources.flatMap { resource, words in
            let entries = Entries("/pressure", resource)
            let waiting = entries.counter(
                "node_pressure_\(resource)_waiting_seconds_total", "some_stall_seconds_total",
                "Seconds in which some task waited for \(words).")
            // The kernel's "full" of the CPU means nothing for the whole host.
            guard resource != "cpu" else { return [waiting] }
            return [
                waiting,
                entries.counter(
                    "node_pressure_\(resource)_stalled_seconds_total", "full_stall_seconds_total",
                    "Seconds in which all tasks waited for \(words)."),
            ]
        } + [
            Entries("/pressure", "irq").counter(
                "node_pressure_irq_stalled_seconds_total", "full_stall_seconds_total",
                "Seconds in which interrupts held up all tasks.")
        ]
    }()
}
