/// Texts of the sources that the hosts of `Fixtures/hosts` lack, by path.
enum ExtraSources {
    /// Of every host.
    static let files: [String: String] = {
        var files = single
        for cpu in 0..<3 { add(throttle, below: "sys/devices/system/cpu/cpu\(cpu)", to: &files) }
        for number in 0..<2 { add(node(number), below: "sys/devices/system/node/node\(number)", to: &files) }
        for folder in ["mc0/dimm0", "mc0/rank1", "mc1/csrow0", "mc0", "mc1"] {
            add(memoryErrors, below: "sys/devices/system/edac/mc/\(folder)", to: &files)
        }
        for id in [1, 2, 717] { add(process(id), below: "proc/\(id)", to: &files) }
        add(zram, below: "sys/block/zram0", to: &files)
        add(sharedPages, below: "sys/kernel/mm/ksm", to: &files)
        add(zone, below: "sys/class/thermal/thermal_zone7", to: &files)
        add(cooler, below: "sys/class/thermal/cooling_device0", to: &files)
        add(battery, below: "sys/class/power_supply/BAT9", to: &files)
        add(energy, below: "sys/class/powercap/intel-rapl:7", to: &files)
        add(energy, below: "sys/class/powercap/intel-rapl:7:0", to: &files)
        add(radeon, below: "sys/class/drm/card0", to: &files)
        for driver in ["i915", "xe"] {
            let card = driver == "xe" ? "sys/class/drm/card2" : "sys/class/drm/card1"
            files["\(card)/device/uevent"] = "DRIVER=\(driver)\nPCI_ID=8086:3E92\n"
            files["\(card)/gt_act_freq_mhz"] = "300\n"
            files["\(card)/device/tile0/gt0/freq0/act_freq"] = "1200\n"
        }
        return files
    }()

    /// Of a host whose control groups are of version 2; of all others.
    static let unifiedGroups: [String: String] = {
        var files = ["proc/self/cgroup": "0::/system.slice\n"]
        files["sys/fs/cgroup/cgroup.controllers"] = "cpu io memory pids\n"
        for group in ["sys/fs/cgroup", "sys/fs/cgroup/system.slice", "sys/fs/cgroup/user.slice"] {
            add(unifiedGroup, below: group, to: &files)
        }
        return files
    }()

    static let legacyGroups: [String: String] = {
        var files = [
            "proc/self/cgroup":
                "9:name=systemd:/s\n5:cpu,cpuacct:/web\n4:memory:/web\n3:pids:/web\n2:blkio:/web\n"
        ]
        for (controller, texts) in legacyGroup {
            add(texts, below: "sys/fs/cgroup/\(controller)", to: &files)
            add(texts, below: "sys/fs/cgroup/\(controller)/web", to: &files)
        }
        return files
    }()

    private static func add(_ texts: [String: String], below folder: String, to files: inout [String: String]) {
        for (name, text) in texts { files["\(folder)/\(name)"] = text }
    }

    private static let single = [
        "dev/kmsg":
            "7,160,424069,-;pci_root PNP0A03:00: host bridge window\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n",
        "proc/zoneinfo": "Node 0, zone   Normal\n  pages free     3910\n        low      52\n        managed  4000\n",
        "proc/softirqs": """
                              CPU0       CPU1
                  HI:          0          7
               TIMER:     631807     744175
              NET_RX:   21599154 4294967290
                 RCU:    1664534    1752774

        """,
        "proc/interrupts": """
                   CPU0       CPU1
         24:          1          0  IO-APIC   5-edge      ACPI:Ged
         36:          0 4294967290 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
        NMI:          0          0   Non-maskable interrupts
        LOC:    7573483    7211507   Local timer interrupts
        ERR:          3

        """,
        "proc/schedstat": """
        version 15
        timestamp 4298893921
        cpu0 0 0 0 0 0 0 66128401935 1290412031 3128412
        domain0 03 0 0 0 0 0 0 0 0 0 0 0 0
        cpu1 0 0 0 0 0 0 56128401935 890412031 2128412

        """,
        "proc/mdstat": """
        Personalities : [raid1] [raid6]
        md3 : active raid6 sda1[8] sdh1[7](F) sdi1[9](S)
              5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] [UUUU_UUU]
              [==>..................]  recovery = 12.6% (123456/975578048) finish=57.1min speed=259783K/sec

        md8 : active (auto-read-only) raid1 sdb1[1] sda1[0]
              195310144 blocks [2/2] [UU]
              resync=PENDING

        unused devices: <none>

        """,
        "proc/spl/kstat/zfs/arcstats": """
        13 1 0x01 123 33456 1234567 2345678
        name                            type data
        hits                            4    1000
        iohits                          4    10
        misses                          4    500
        deleted                         4    7
        memory_throttle_count           4    2
        mru_size                        4    600
        mfu_size                        4    300
        size                            4    1024
        compressed_size                 4    1000
        uncompressed_size               4    3000
        c                               4    2048
        c_min                           4    512
        c_max                           4    4096
        l2_hits                         4    20
        l2_misses                       4    500
        l2_read_bytes                   4    5000
        l2_write_bytes                  4    6000
        l2_size                         4    7000
        l2_asize                        4    6500
        l2_cksum_bad                    4    2
        memory_available_bytes          3    -5

        """,
        "proc/net/snmp": """
        Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InDiscards OutRequests OutNoRoutes
        Ip: 1 64 1000 1 2 3 4 2000 5
        Icmp: InMsgs InErrors InCsumErrors InDestUnreachs OutMsgs OutErrors
        Icmp: 30 1 0 29 40 2
        Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens CurrEstab InSegs OutSegs RetransSegs InErrs
        Tcp: 1 200 120000 -1 10 20 7 5000 6000 100 3
        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
        Udp: 70 1 2 80 3 4

        """,
        "proc/net/netstat": """
        TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts ListenOverflows ListenDrops TCPTimeouts
        TcpExt: 1 2 3 4 5 6 7
        IpExt: InNoRoutes InOctets OutOctets
        IpExt: 0 4294967290 500

        """,
        "proc/net/snmp6": "Ip6InReceives \t100\nIp6InOctets \t4000\nIcmp6InMsgs \t9\nUdp6InDatagrams \t11\n",
        "proc/net/sockstat": """
        sockets: used 91
        TCP: inuse 3 orphan 0 tw 0 alloc 3 mem 5
        UDP: inuse 2 mem 1
        UDPLITE: inuse 0
        RAW: inuse 1
        FRAG: inuse 0 memory 4096

        """,
        "proc/net/sockstat6": "TCP6: inuse 5\nUDP6: inuse 2\nRAW6: inuse 1\nFRAG6: inuse 1 memory 4096\n",
        "proc/net/softnet_stat": """
        0000c7ad 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000004 00000005
        ffffffff 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000

        """,
        "proc/net/wireless": """
        Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
         face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
         wlan0: 0000   35.  -75.  -256        0      1      2      3      4        5
         wlan1: 0000   70.  -40.  -95.        0      0      0      0      0        0

        """,
        "proc/net/arp": """
        IP address       HW type     Flags       HW address            Mask     Device
        192.168.1.1      0x1         0x2         aa:bb:cc:dd:ee:ff     *        eth0
        192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        wlan0

        """,
        "proc/net/route": """
        Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
        eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
        lo\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0

        """,
        "sys/class/net/eth0/statistics/rx_bytes": "18446744073709551000\n",
        "sys/class/net/eth0/statistics/tx_bytes": "4294967290\n",
        "proc/net/stat/nf_conntrack": """
        entries  searched found new invalid ignore delete insert insert_failed drop early_drop icmp_error
        0000012c  00000000 00000005 00000000 00000007 00000000 00000000 00000000 00000001 00000002 00000003 00000004
        0000012c  00000000 fffffff0 00000000 00000007 00000000 00000000 00000000 00000001 00000002 00000003 00000004

        """,
        "proc/sys/net/netfilter/nf_conntrack_count": "300\n",
        "proc/sys/net/netfilter/nf_conntrack_max": "1200\n",
        "proc/net/rpc/nfs": """
        net 70 70 69 45
        rpc 500 3 7
        proc3 22 0 10 0 0 0 0 20 0 0 0 0 0 0 0 0 0 0 0 0 0 0 30
        proc4 6 0 40 41 42 43 44

        """,
        "proc/net/rpc/nfsd": """
        rc 1 6 18622
        fh 0 0 0 0 0
        io 157286400 4096
        th 8 0 0.000 0.000
        rpc 18628 2 1 1 0
        proc3 22 0 10 0 0 0 0 20 0 0 0 0 0 0 0 0 0 0 0 0 0 0 30
        proc4ops 12 0 0 0 1 0 0 0 0 0 5 0 1

        """,
        "proc/sys/fs/file-nr": "1024\t0\t9223372036854775807\n",
        "proc/sys/kernel/hung_task_detect_count": "3\n",
        "proc/sys/kernel/pid_max": "4194304\n",
        "proc/1/environ": "PATH=/bin\u{0}container=lxc\u{0}",
        "proc/pressure/cpu": stalls, "proc/pressure/memory": stalls, "proc/pressure/io": stalls,
        "proc/pressure/irq": "full avg10=0.00 avg60=0.00 avg300=0.00 total=17\n",
    ]

    private static let stalls =
        "some avg10=1.50 avg60=0.80 avg300=0.55 total=9000\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=70\n"

    private static let throttle = [
        "topology/core_id": "0\n", "topology/physical_package_id": "0\n",
        "thermal_throttle/core_throttle_count": "17\n", "thermal_throttle/core_throttle_total_time_ms": "1500\n",
        "thermal_throttle/core_throttle_max_time_ms": "250\n", "thermal_throttle/package_throttle_count": "40\n",
        "thermal_throttle/package_throttle_total_time_ms": "1700\n",
        "thermal_throttle/package_throttle_max_time_ms": "260\n",
    ]

    private static func node(_ node: Int) -> [String: String] {
        let lines = [
            "MemTotal: 8000000 kB", "MemFree: 3000000 kB", "MemUsed: 5000000 kB", "Active: 7 kB", "FilePages: 9 kB",
            "HugePages_Total: 3", "HugePages_Free: 2",
        ]
        return [
            "meminfo": lines.map { "Node \(node) \($0)\n" }.joined(),
            "numastat":
                "numa_hit 500\nnuma_miss 1\nnuma_foreign 2\ninterleave_hit 3\nlocal_node 490\nother_node 10\n",
        ]
    }

    private static let memoryErrors = [
        "ce_count": "7\n", "ue_count": "1\n", "ce_noinfo_count": "2\n", "ue_noinfo_count": "0\n",
        "mc_name": "skx_edac\n", "size_mb": "65536\n", "size": "32768\n", "dimm_ce_count": "5\n",
        "dimm_ue_count": "1\n", "dimm_label": "CPU0_DIMM_A1\n", "ch0_dimm_label": "CPU0_DIMM_B1\n",
    ]

    private static func process(_ id: Int) -> [String: String] {
        [
            "stat": "\(id) (a) b (c)) S 1 \(id) \(id) 0 -1 4194560 100 0 5 0 700 300 10 20 20 0 4 0 5000 1000000 250 "
                + "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            "status": "Name:\tab\nState:\tS (sleeping)\nUid:\t1000\t1000\t1000\t1000\nThreads:\t4\n",
            "io": "rchar: 1\nwchar: 2\nread_bytes: 4096\nwrite_bytes: 8192\n", "cgroup": "0::/user.slice/a.scope\n",
        ]
    }

    private static let zram = [
        "disksize": "8192000\n", "mm_stat": "4096000 1024000 1100000 2000000 1200000 10 3 20 0\n",
    ]

    private static let sharedPages = [
        "run": "1\n", "pages_shared": "10\n", "pages_sharing": "20\n", "pages_unshared": "30\n",
        "pages_volatile": "40\n", "ksm_zero_pages": "5\n", "general_profit": "-4096\n", "full_scans": "6\n",
    ]

    private static let zone = [
        "type": "x86_pkg_temp\n", "temp": "45123\n", "trip_point_0_type": "critical\n", "trip_point_0_temp": "99000\n",
        "trip_point_1_type": "passive\n", "trip_point_1_temp": "-1\n",
    ]

    private static let cooler = ["type": "Fan\n", "cur_state": "1\n", "max_state": "3\n"]

    private static let battery = [
        "type": "Battery\n", "status": "Discharging\n", "online": "1\n", "capacity": "83\n",
        "voltage_now": "12000000\n",
        "current_now": "-1500000\n", "power_now": "18000000\n", "energy_now": "40000000\n",
        "energy_full": "50000000\n", "energy_full_design": "57000000\n", "charge_now": "3000000\n",
        "charge_full": "4000000\n", "charge_full_design": "5000000\n", "cycle_count": "130\n",
        "time_to_empty_now": "7200\n", "time_to_full_avg": "0\n",
    ]

    private static let energy = [
        "name": "package-0\n", "energy_uj": "262143328849\n", "max_energy_range_uj": "262143328850\n",
    ]

    private static let radeon = [
        "device/uevent": "DRIVER=amdgpu\nPCI_ID=1002:73BF\nPCI_SLOT_NAME=0000:03:00.0\nMODALIAS=x\n",
        "device/power/runtime_status": "active\n", "device/product_name": "Radeon Pro W6800\n",
        "device/gpu_busy_percent": "37\n", "device/mem_busy_percent": "5\n",
        "device/mem_info_vram_used": "1073741824\n", "device/mem_info_vram_total": "4294967296\n",
        "device/pp_dpm_sclk": "0: 500Mhz\n1: 2575Mhz *\n", "device/pp_dpm_mclk": "0: 96Mhz *\n1: 1000Mhz\n",
        "device/hwmon/hwmon44/temp1_input": "42500\n", "device/hwmon/hwmon44/power1_average": "35000000\n",
        "device/hwmon/hwmon44/power1_cap": "203000000\n", "device/hwmon/hwmon44/energy1_input": "90000000\n",
        "device/hwmon/hwmon44/fan1_input": "1200\n", "device/hwmon/hwmon44/pwm1": "51\n",
    ]

    private static let unifiedGroup = [
        "cpu.stat": "usage_usec 9000000\nuser_usec 6000000\nsystem_usec 3000000\nnr_periods 100\nnr_throttled 5\n"
            + "throttled_usec 70000\n",
        "cpu.max": "200000 100000\n", "memory.current": "900000000\n", "memory.max": "1800000000\n",
        "memory.swap.current": "4096\n", "memory.stat": "anon 5\nfile 7\ninactive_file 400000000\n",
        "memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n", "pids.current": "19\n", "pids.max": "max\n",
        "io.stat": "8:0 rbytes=5000 wbytes=2000 rios=7 wios=3 dbytes=0 dios=0\n253:1 rbytes=1 wbytes=2 rios=3\n",
        "cpu.pressure": stalls, "memory.pressure": stalls, "io.pressure": stalls,
    ]

    private static let legacyGroup = [
        "cpu,cpuacct": [
            "cpuacct.usage": "1000000000\n", "cpuacct.stat": "user 100\nsystem 50\n", "cpu.cfs_quota_us": "50000\n",
            "cpu.cfs_period_us": "100000\n", "cpu.stat": "nr_periods 10\nnr_throttled 2\nthrottled_time 100000000\n",
        ],
        "memory": [
            "memory.usage_in_bytes": "9000\n", "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.stat": "inactive_file 1\ntotal_inactive_file 4000\ntotal_swap 12\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        ],
        "pids": ["pids.current": "19\n", "pids.max": "max\n"],
        "blkio": [
            "blkio.throttle.io_service_bytes_recursive": "8:0 Read 100\n8:0 Write 5\nTotal 105\n",
            "blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
        ],
    ]
}
