internal import FoxgloveProtocol

/// What to write instead of a name that does not exist, in words that follow it. `lister` is the command that tells
/// those that there are, where they are many.
func suggestion(for name: String, among known: [String], listedBy lister: String = "config default") -> String {
    if let name = nearest(to: name, among: known) { return "did you mean \(quoted(name))?" }
    // Or the end is missing.
    let longer = known.filter { name.count > 2 && $0.hasPrefix(name) }
    if longer.count == 1 { return "did you mean \(quoted(longer[0]))?" }
    guard known.count <= 12 else { return "`sysmon-agent \(lister)` shows all that there are" }
    return "there \(known.count == 1 ? "is" : "are") \(known.joined(separator: ", "))"
}

/// Of what there is, the name that was meant by one that there is not.
package func nearest(to name: String, among known: [String]) -> String? {
    let nearest = known.map { (name: $0, distance: distance(name, $0)) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, name.count / 3) else { return nil }
    return nearest.name
}

/// How many characters have to be put in, left out, replaced, or swapped with their neighbours.
private func distance(_ first: String, _ second: String) -> Int {
    let (first, second) = (Array(first.unicodeScalars), Array(second.unicodeScalars))
    // Longer names are nothing that anybody meant, and take long to compare.
    guard first.count <= 64, second.count <= 64 else { return .max }
    var (beforeLast, last) = ([Int](), Array(0...second.count))
    for row in first.indices {
        var current = [row + 1]
        for column in second.indices {
            let isEqual = first[row] == second[column]
            var cost = min(last[column] + (isEqual ? 0 : 1), last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforeLast, last) = (last, current)
    }
    return last[second.count]
}
