/// Storage of the loop's thread, without the run-time check that accesses to it do not overlap, which costs more than
/// to parse a small file.
///
/// Whoever holds one sees to it that no access can begin within another: it is private to a type that calls nothing
/// which could call it back.
@safe
final class LoopCell<Value: ~Copyable> {
    @exclusivity(unchecked) private var storage: Value

    init(_ value: consuming Value) { unsafe storage = value }

    var value: Value {
        @inline(__always) _read { yield unsafe storage }
        @inline(__always) _modify { yield unsafe &storage }
    }
}
