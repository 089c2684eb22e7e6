import HostMetrics
import Testing

struct ThermalTests {
    private func write(_ zone: Int, _ temperature: String, _ host: CollectorUnderTest) throws {
        try host.write("acpitz\n", to: "sys/class/thermal/thermal_zone\(zone)/type")
        try host.write(temperature, to: "sys/class/thermal/thermal_zone\(zone)/temp")
    }

    private func writeTrips(_ zone: Int, _ trips: [(String, String)], _ host: CollectorUnderTest) throws {
        for (index, trip) in trips.enumerated() {
            try host.write(trip.0 + "\n", to: "sys/class/thermal/thermal_zone\(zone)/trip_point_\(index)_type")
            try host.write(trip.1 + "\n", to: "sys/class/thermal/thermal_zone\(zone)/trip_point_\(index)_temp")
        }
    }

    @Test func aTripPointThatCannotBeReadDoesNotHideTheNext() throws {
        let host = try CollectorUnderTest("/thermal")
        try host.write("acpitz\n", to: "sys/class/thermal/thermal_zone0/type")
        try writeTrips(0, [("critical", "100000"), ("hot", "90000"), ("passive", "80000")], host)
        try host.write("", to: "sys/class/thermal/thermal_zone0/trip_point_1_temp")
        let message = try host.sample().1
        #expect(message["zones[0].critical_celsius"]?.number == 100)
        #expect(message["zones[0].hot_celsius"]?.isNaN == true)
        #expect(message["zones[0].passive_celsius"]?.number == 80)
    }

    @Test(
        arguments: [
            ("45123\n", 45.123, 0), ("-100000\n", -100, 0), ("-100001\n", .nan, 0), ("250000\n", 250, 0),
            ("250001\n", .nan, 0), ("0\n", 0, 0), ("-0\n", 0, 0), ("-650788984\n", .nan, 0), ("x\n", .nan, 1),
            ("", .nan, 0), ("--1\n", .nan, 1), ("-\n", .nan, 1), ("+1\n", .nan, 1), ("1 2\n", .nan, 1),
            ("99999999999999999999\n", .nan, 1),
        ] as [(String, Double, Int)])
    func aTemperatureIsPlausibleOrNotTold(text: String, celsius: Double, errorCount: Int) throws {
        let host = try CollectorUnderTest("/thermal")
        try write(0, text, host)
        try write(1, "20000\n", host)
        let (sample, message) = try host.sample()
        let told = try #require(message["zones[0].celsius"]?.number)
        #expect(told == celsius || told.isNaN && celsius.isNaN)
        #expect(message["zones[1].celsius"]?.number == 20 && sample.parseErrorCount == errorCount)
    }

    @Test func withoutZonesThereIsNoChannel() throws {
        let host = try CollectorUnderTest("/thermal")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.write("", to: "sys/class/thermal/other")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.write("Fan\n", to: "sys/class/thermal/cooling_device0/type")
        try host.start()
        #expect(try host.sample().1.ids("cooling") == ["cooling_device0"])
    }

    @Test func theLowestTripOfEachKindIsTold() throws {
        let host = try CollectorUnderTest("/thermal")
        try write(0, "40000\n", host)
        try write(1, "40000\n", host)
        try writeTrips(
            0,
            [
                ("active", "70000"), ("active", "60000"), ("passive", "-32768000"), ("passive", "80000"),
                ("hot", "x"), ("critical", "105000"), ("other", "1000"),
            ], host)
        let (_, message) = try host.sample()
        #expect(message["zones[0].active_celsius"]?.number == 60 && message["zones[0].passive_celsius"]?.number == 80)
        #expect(message["zones[0].hot_celsius"]?.isNaN == true)
        #expect(message["zones[0].critical_celsius"]?.number == 105)
        #expect(message["zones[1].critical_celsius"]?.isNaN == true)
        // Looked at every ten seconds.
        try writeTrips(1, [("critical", "90000")], host)
        #expect(try host.sample(after: 8.5).1["zones[1].critical_celsius"]?.isNaN == true)
        #expect(try host.sample(after: 1.5).1["zones[1].critical_celsius"]?.number == 90)
    }

    @Test func tripsAndTypesHaveBounds() throws {
        let host = try CollectorUnderTest("/thermal")
        try write(0, "1000\n", host)
        try writeTrips(0, (0..<65).map { ($0 < 63 ? "active" : $0 == 63 ? "hot" : "critical", "50000") }, host)
        try write(1, "1000\n", host)
        try host.write(String(repeating: "x", count: 64) + "\n", to: "sys/class/thermal/thermal_zone0/type")
        try host.write(String(repeating: "x", count: 65) + "\n", to: "sys/class/thermal/thermal_zone1/type")
        let (_, message) = try host.sample()
        #expect(message["zones[0].hot_celsius"]?.number == 50 && message["zones[0].critical_celsius"]?.isNaN == true)
        for zone in 0..<2 { #expect(message["zones[\(zone)].type"]?.text?.count == 64) }
    }

    @Test func zonesComeAndGoAndTheirTripsWithThem() throws {
        let host = try CollectorUnderTest("/thermal")
        for zone in [10, 2] {
            try write(zone, "\(zone)000\n", host)
            try writeTrips(zone, [("critical", "\(zone + 90)000")], host)
        }
        let (_, before) = try host.sample()
        #expect(before.ids("zones") == ["thermal_zone2", "thermal_zone10"])
        #expect(before["zones[1].critical_celsius"]?.number == 100 && before["zones[1].celsius"]?.number == 10)
        try host.remove("sys/class/thermal/thermal_zone2/type")
        try write(7, "7000\n", host)
        #expect(try host.sample().1.ids("zones") == ["thermal_zone10"])
        let (_, after) = try host.sample()
        #expect(after.ids("zones") == ["thermal_zone7", "thermal_zone10"])
        #expect(after["zones[0].critical_celsius"]?.isNaN == true && after["zones[1].critical_celsius"]?.number == 100)
    }

    @Test func coolingDevicesAreTold() throws {
        let host = try CollectorUnderTest("/thermal")
        let folder = "sys/class/thermal/cooling_device"
        for (device, state, maximum) in [(0, "1\n", "4\n"), (1, "0\n", "0\n"), (2, "x\n", "4\n")] {
            try host.write("Processor\n", to: "\(folder)\(device)/type")
            try host.write(state, to: "\(folder)\(device)/cur_state")
            try host.write(maximum, to: "\(folder)\(device)/max_state")
        }
        try host.write("bad\u{7}\n", to: "\(folder)3/type")
        let (sample, message) = try host.sample()
        #expect(sample.parseErrorCount == 1 && sample.entryCount == 4)
        #expect(message["cooling[0].state"]?.number == 1 && message["cooling[0].max_state"]?.number == 4)
        #expect(message["cooling[0].state_ratio"]?.number == 0.25 && message["cooling[0].type"]?.text == "Processor")
        #expect(message["cooling[1].state"]?.number == 0 && message["cooling[1].state_ratio"]?.isNaN == true)
        #expect(message["cooling[2].state"]?.isNaN == true && message["cooling[2].max_state"]?.number == 4)
        #expect(message["cooling[3].type"]?.text == "bad" && message["cooling[3].state"]?.isNaN == true)
    }

    @Test func theAlarmIsRaisedAtTheEdge() throws {
        let host = try CollectorUnderTest("/thermal")
        try write(0, "50000\n", host)
        try write(1, "50000\n", host)
        try writeTrips(0, [("passive", "60000"), ("critical", "100000")], host)
        try writeTrips(1, [("hot", "90000")], host)
        var alarms: [Alarm?] = []
        for (first, second) in [(50, 50), (70, 50), (99, 90), (100, 95), (50, 50), (100, 50)] {
            try write(0, "\(first)000\n", host)
            try write(1, "\(second)000\n", host)
            alarms.append(try host.sample(after: 0.1).0.alarm)
        }
        #expect(alarms == [nil, nil, .temperature, nil, nil, .temperature])
    }

    @Test func noMoreAreToldThanTheOwnerWants() throws {
        var settings = EntrySettings()
        settings.entryCountMax = 2
        settings.exclude = try Pattern("thermal_zone1")
        let host = try CollectorUnderTest("/thermal", settings: settings)
        for zone in 0..<4 { try write(zone, "\(zone)000\n", host) }
        let (sample, message) = try host.sample()
        #expect(message.ids("zones") == ["thermal_zone0", "thermal_zone2"] && sample.suppressedCount == 1)
    }
}
