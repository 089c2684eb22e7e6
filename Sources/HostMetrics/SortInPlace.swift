extension [UInt32] {
    /// Sorts without the second array that the library's `sort` takes.
    package mutating func sortInPlace() {
        // A heap, whose largest number goes behind it again and again.
        for root in indices.prefix(count / 2).reversed() { siftDown(root, below: count) }
        for end in indices.dropFirst().reversed() {
            swapAt(0, end)
            siftDown(0, below: end)
        }
    }

    private mutating func siftDown(_ start: Int, below end: Int) {
        var root = start
        while true {
            var child = 2 * root + 1
            guard child < end else { return }
            if child + 1 < end, self[child] < self[child + 1] { child += 1 }
            guard self[root] < self[child] else { return }
            swapAt(root, child)
            root = child
        }
    }
}
