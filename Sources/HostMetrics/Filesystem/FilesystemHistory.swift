/// Tells what became of the filesystems from one sample to the next, for `/log`.
struct FilesystemHistory {
    struct State {
        var id: [UInt8]
        var isReadOnly: Bool
        /// Nil: not asked.
        var answers: Bool?

        init(_ mount: MountTable.Mount, _ answer: StatisticsPool.Answer) {
            id = mount.id
            isReadOnly = mount.isReadOnly
            switch answer {
            case .statistics, .failure: answers = true
            case .unresponsive: answers = false
            case .notAsked: answers = nil
            }
        }

        fileprivate func isNoNews(after before: Self) -> Bool {
            id == before.id && isReadOnly == before.isReadOnly && (answers ?? before.answers) == before.answers
        }
    }

    /// Nil: there was no sample yet.
    private var known: [State]?

    /// What is new; nothing in steady state.
    mutating func notes(_ states: [State]) -> [Note] {
        if let known, known.elementsEqual(states, by: { $1.isNoNews(after: $0) }) { return [] }
        var notes: [Note] = []
        var gone = Dictionary((known ?? []).map { ($0.id, $0) }) { $1 }
        var next: [State] = []
        for var state in states {
            let name = String(decoding: state.id, as: UTF8.self)
            let before = gone.removeValue(forKey: state.id)
            if known != nil, before == nil { notes.append(Note(.info, "\(name) is mounted")) }
            if state.isReadOnly, before?.isReadOnly == false {
                notes.append(Note(.warning, "\(name) is read-only now"))
            }
            if state.answers == false, before?.answers != false {
                notes.append(Note(.warning, "\(name) does not answer"))
            }
            if state.answers == true, before?.answers == false { notes.append(Note(.info, "\(name) answers again")) }
            state.answers = state.answers ?? before?.answers
            next.append(state)
        }
        for id in gone.keys {
            notes.append(Note(.info, "\(String(decoding: id, as: UTF8.self)) is not mounted any more"))
        }
        known = next
        return notes
    }
}
