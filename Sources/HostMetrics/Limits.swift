/// Bounds of what a collector publishes.
package enum Limits {
    /// Entries of one message; what is left out is counted.
    package static let entryCountMax = 256
}
