import Testing

/// RFC 6455 over real sockets, as ``Category`` lists it.
@Suite(.serialized) struct ConformanceTests {
    @Test(arguments: Category.all)
    func serverConforms(category: Category) throws {
        try EchoEndpoint.run { port in
            for one in category.cases() {
                if let failure = one.failure(port: port) { Issue.record("\(one.id): \(failure)") }
            }
        }
    }

    @Test func thereAre301Cases() {
        var ids: Set<String> = []
        for category in Category.all {
            let cases = category.cases()
            #expect(cases.count == category.caseCount, "category \(category.number)")
            #expect(cases.allSatisfy { $0.id.hasPrefix("\(category.number).") })
            ids.formUnion(cases.map(\.id))
        }
        #expect(ids.count == 301)
    }

    /// Cases that a conforming server has to fail: each kind of difference is seen.
    @Test(
        arguments: [
            (Case.clean([.text("a")], receives: [.text("b")]), "after 2 bytes 61880203e8 instead of 62880203e8"),
            (.clean([.text("a")], receives: []), "after 0 bytes 8101618802 instead of 880203e8"),
            (.clean([], receives: [.text("a")]), "after 0 bytes 880203e8 instead of 810161880203e8"),
            (.failed([.ping(.octets(126))], with: 1007), "after 3 bytes ea instead of ef"),
            (.failed([.text("a")], receives: [.text("a")], with: 1002), "after 3 bytes the end instead of 880203ea"),
            (Case(sent: [.text("a")], writes: .atOnce, received: [.text("a")]), "the stream did not end within 1 s"),
        ])
    func differencesAreSeen(wrong: Case, failure: String) throws {
        try EchoEndpoint.run { port in
            #expect(wrong.failure(port: port, seconds: 1) == failure)
        }
    }
}

extension Category: CustomTestStringConvertible {
    var testDescription: String { "\(number)" }
}

extension Case: CustomTestStringConvertible {
    var testDescription: String { id.isEmpty ? "made to fail" : id }
}
