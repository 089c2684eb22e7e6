import HostMetrics
import Testing

struct ThrottleTests {
    private func write(_ cpu: Int, core: Int, package: Int, cores: String, packages: String, _ host: CollectorUnderTest)
        throws
    {
        let folder = "sys/devices/system/cpu/cpu\(cpu)"
        try host.write("\(core)\n", to: "\(folder)/topology/core_id")
        try host.write("\(package)\n", to: "\(folder)/topology/physical_package_id")
        try host.write(cores, to: "\(folder)/thermal_throttle/core_throttle_count")
        try host.write("1500\n", to: "\(folder)/thermal_throttle/core_throttle_total_time_ms")
        try host.write("250\n", to: "\(folder)/thermal_throttle/core_throttle_max_time_ms")
        try host.write(packages, to: "\(folder)/thermal_throttle/package_throttle_count")
    }

    /// Two packages of two cores of two threads each; core numbers come again in the second package.
    private func host(_ count: Int) throws -> CollectorUnderTest {
        let host = try CollectorUnderTest("/cpu/throttle")
        try write(count, host)
        return host
    }

    private func write(_ count: Int, _ host: CollectorUnderTest) throws {
        for cpu in 0..<8 {
            try write(
                cpu, core: cpu % 4 / 2 * 4, package: cpu / 4, cores: "\(count + cpu / 2)\n",
                packages: "\(10 * count + cpu / 4)\n", host)
        }
    }

    @Test func coresAndPackagesAreToldOnce() throws {
        let host = try host(5)
        let (_, before) = try host.sample()
        #expect(before.ids("cores") == ["0:0", "0:4", "1:0", "1:4"] && before.ids("packages") == ["0", "1"])
        #expect(before["cores[3].first_cpu"] == .unsigned(6) && before["packages[1].first_cpu"] == .unsigned(4))
        #expect(before["cores[3].throttles_total"] == .unsigned(8))
        #expect(before["packages[1].throttles_total"] == .unsigned(51))
        #expect(before["cores[0].throttles_per_second"]?.isNaN == true)
        #expect(before["cores[0].throttled_seconds_total"]?.number == 1.5)
        #expect(before["cores[0].throttled_seconds_max"]?.number == 0.25)
        // An older kernel does not tell.
        #expect(before["packages[0].throttled_seconds_total"]?.isNaN == true)
        #expect(before["packages[0].throttled_seconds_max"]?.isNaN == true)
        try write(7, host)
        let (sample, after) = try host.sample(after: 4)
        #expect(after["cores[2].throttles_per_second"]?.number == 0.5)
        #expect(after["packages[0].throttles_per_second"]?.number == 5)
        #expect(sample.entryCount == 6 && sample.intervalSeconds == 4)
    }

    @Test func theAlarmIsRaisedWhenItBegins() throws {
        let host = try host(5)
        var alarms: [Alarm?] = []
        for count in [5, 5, 6, 7, 7, 8] {
            try write(count, host)
            alarms.append(try host.sample(after: 5).0.alarm)
        }
        #expect(alarms == [nil, nil, .throttled, nil, nil, .throttled])
    }

    @Test func aCoreIsToldByAnotherCPUWhenItsFirstGoes() throws {
        let host = try host(5)
        try host.sample()
        for file in ["core_throttle_count", "package_throttle_count"] {
            try host.remove("sys/devices/system/cpu/cpu0/thermal_throttle/\(file)")
        }
        #expect(try host.sample().1.ids("cores") == ["0:4", "1:0", "1:4"])
        let (_, message) = try host.sample()
        #expect(message.ids("cores") == ["0:0", "0:4", "1:0", "1:4"] && message.ids("packages") == ["0", "1"])
        #expect(message["cores[0].first_cpu"] == .unsigned(1) && message["packages[0].first_cpu"] == .unsigned(1))
    }

    @Test(arguments: ["x\n", "-1\n", "1 2\n"])
    func oneBadCounterDoesNotLoseTheOthers(text: String) throws {
        let host = try host(5)
        try host.write(text, to: "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count")
        let (sample, message) = try host.sample()
        #expect(message.ids("cores") == ["0:4", "1:0", "1:4"] && sample.parseErrorCount == 1)
    }

    @Test func otherProcessorsHaveNoChannel() throws {
        let host = try CollectorUnderTest("/cpu/throttle")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.write("0\n", to: "sys/devices/system/cpu/cpu0/topology/core_id")
        try host.write("0\n", to: "sys/devices/system/cpu/cpu0/topology/physical_package_id")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try write(0, core: 0, package: 0, cores: "1\n", packages: "1\n", host)
        try host.start()
    }
}
