/// An energy counter that begins again at its own range, which is no power of two, made one that only grows.
package struct RAPLCounter: Sendable {
    /// Microjoules as read, and the most they reach; 0: not known.
    package private(set) var raw: UInt64
    package let range: UInt64
    /// Grows on over the wraps; falls only where the counter was reset.
    package private(set) var sum: UInt64

    package init(_ raw: UInt64, range: UInt64) {
        self.raw = raw
        self.range = range
        sum = raw
    }

    package mutating func advance(to new: UInt64) {
        if new >= raw {
            sum &+= new - raw
        } else if raw <= range {
            // Neither can be far off the range, so the sum stays far from its end.
            sum &+= range - raw &+ new
        } else {
            sum = new
        }
        raw = new
    }
}
