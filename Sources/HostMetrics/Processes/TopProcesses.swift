/// The processes that use the most: of CPU time, of memory, and of storage.
struct TopProcesses {
    static let countMax = 10

    /// The places of the largest values that were offered.
    private struct Ranking {
        private(set) var places: [Int] = []
        private var values: [Double] = []

        mutating func removeAll() {
            places.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
        }

        /// Who uses nothing, or is not known to, is not among the most.
        mutating func offer(_ place: Int, _ value: Double) {
            guard value > 0, values.count < TopProcesses.countMax || value > values[values.count - 1] else { return }
            var index = values.count
            while index > 0, values[index - 1] < value { index -= 1 }
            if values.count == TopProcesses.countMax {
                values.removeLast()
                places.removeLast()
            }
            values.insert(value, at: index)
            places.insert(place, at: index)
        }
    }

    private var byCPU = Ranking()
    private var byMemory = Ranking()
    private var byStorage = Ranking()
    /// Places among the entries, each once, the most busy first.
    private(set) var places: [Int] = []

    mutating func choose(from entries: [ProcessTable.Entry]) {
        byCPU.removeAll()
        byMemory.removeAll()
        byStorage.removeAll()
        for place in entries.indices where entries[place].isAdmitted {
            byCPU.offer(place, entries[place].cpuRatio)
            byMemory.offer(place, Double(entries[place].stat.residentPages))
            byStorage.offer(place, entries[place].readBytesPerSecond + entries[place].writeBytesPerSecond)
        }
        places.removeAll(keepingCapacity: true)
        for place in byCPU.places { add(place) }
        for place in byMemory.places { add(place) }
        for place in byStorage.places { add(place) }
    }

    private mutating func add(_ place: Int) {
        if !places.contains(place) { places.append(place) }
    }
}
