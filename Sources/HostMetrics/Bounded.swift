extension Double {
    /// Not above `limit`; NaN stays NaN. The library's `min` and `max` may take a bound for the unknown.
    @inline(__always)
    func limited(to limit: Double) -> Double { self > limit ? limit : self }

    /// Not below 0; NaN stays NaN.
    var notNegative: Double { @inline(__always) get { self < 0 ? 0 : self } }

    /// A share of a whole that cannot be exceeded; NaN where it is, since then one of the two was told wrong.
    package var share: Double { self >= 0 && self <= 1 ? self : .nan }
}
