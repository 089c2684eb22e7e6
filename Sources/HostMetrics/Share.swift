extension Double {
    /// A share of a whole that cannot be exceeded; NaN where it is, since then one of the two was told wrong.
    package var share: Double { self >= 0 && self <= 1 ? self : .nan }
}
