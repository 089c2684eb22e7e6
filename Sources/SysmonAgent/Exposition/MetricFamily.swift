/// What Prometheus calls a metric family: a name, and the fields of our messages that are its values.
///
/// `MetricTable` has all of them.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge
        /// Always 1: its labels are what it tells.
        case info
        /// Counts or measures, in a name that other exporters gave it and that does not say which.
        case unknown
    }

    /// As lines carry it: that of a counter ends in `_total`, that of an info in `_info`.
    package let name: String
    package let kind: Kind
    /// One line, without quotes and backslashes.
    package let help: String
    /// The channel that has its values; empty: the scrape itself.
    package let topic: String
    let sources: [Source]

    /// Without values of channels.
    package init(name: String, kind: Kind, help: String, topic: String) {
        self.init(name: name, kind: kind, help: help, topic: topic, sources: [])
    }

    init(name: String, kind: Kind, help: String, topic: String, sources: [Source]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.topic = topic
        self.sources = sources
    }

    /// Of all its series, in the order of a line.
    package var labelNames: [String] {
        var names: [String] = []
        for source in sources {
            let named = source.labels.map(\.name) + source.values.flatMap { $0.labels.map(\.name) }
            for name in named where !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Some entries of a channel's messages, and what each of them gives.
    struct Source: Sendable {
        /// The list, or the message in the message; empty: the message itself.
        var list: String
        /// Which entries; nil: all of them.
        var condition: Condition?
        var labels: [Label]
        var values: [Value]
    }

    /// A label whose value is a field of the entry.
    struct Label: Sendable {
        var name: String
        var field: String
        var part = Part()

        init(_ name: String, _ field: String, _ part: Part = Part()) {
            self.name = name
            self.field = field
            self.part = part
        }
    }

    /// What of a text becomes the value of a label.
    struct Part: Sendable {
        /// The rest behind the first of these, if it is there.
        var after = ""
        /// What is before the first of these, behind `after`.
        var before = ""
        /// This in front of it.
        var prefix = ""
    }

    /// A series of each entry.
    struct Value: Sendable {
        /// Labels that tell the series of one entry apart.
        var labels: [(name: String, value: String)] = []
        var number: Number
    }

    /// Fields are in base units. A number that is NaN or infinite is left out.
    enum Number: Sendable {
        case one
        case field(String)
        case times(String, Double)
        case plus(String, Double)
        /// Bytes, as a number of the host's pages.
        case pages(String)
        case ratio(String, of: String)
        /// 1 where an enum or a text is this, else 0.
        case isText(String, String)
        case isNotText(String, String)
        /// The wall clock at the sample, in seconds since 1970.
        case stamp
    }

    /// What the text in a field must be; of a number its digits, of a bool 0 or 1.
    struct Condition: Sendable {
        enum Test: Sendable {
            case equals(String), differs(String), begins(String), contains(String)
        }

        var field: String
        var test: Test

        func admits(_ text: String) -> Bool {
            switch test {
            case .equals(let other): text == other
            case .differs(let other): text != other
            case .begins(let start): text.hasPrefix(start)
            case .contains(let part): text.contains(part)
            }
        }
    }
}

/// The entries of one list, from which families are made: the vocabulary of the table.
struct Entries {
    var topic: String
    var list = ""
    var labels: [MetricFamily.Label] = []
    var condition: MetricFamily.Condition?

    /// `labels`: names of labels and of the fields that are their values.
    init(
        _ topic: String, _ list: String = "", labels: [MetricFamily.Label] = [],
        only condition: MetricFamily.Condition? = nil
    ) {
        self.topic = topic
        self.list = list
        self.labels = labels
        self.condition = condition
    }

    func source(_ values: [MetricFamily.Value]) -> MetricFamily.Source {
        MetricFamily.Source(list: list, condition: condition, labels: labels, values: values)
    }

    func family(
        _ name: String, _ kind: MetricFamily.Kind, _ values: [MetricFamily.Value], _ help: String
    ) -> MetricFamily {
        MetricFamily(name: name, kind: kind, help: help, topic: topic, sources: [source(values)])
    }

    func counter(_ name: String, _ number: MetricFamily.Number, _ help: String) -> MetricFamily {
        family(name, .counter, [.init(number: number)], help)
    }

    func gauge(_ name: String, _ number: MetricFamily.Number, _ help: String) -> MetricFamily {
        family(name, .gauge, [.init(number: number)], help)
    }

    func unknown(_ name: String, _ number: MetricFamily.Number, _ help: String) -> MetricFamily {
        family(name, .unknown, [.init(number: number)], help)
    }

    func counter(_ name: String, _ field: String, _ help: String) -> MetricFamily { counter(name, .field(field), help) }
    func gauge(_ name: String, _ field: String, _ help: String) -> MetricFamily { gauge(name, .field(field), help) }
    func unknown(_ name: String, _ field: String, _ help: String) -> MetricFamily { unknown(name, .field(field), help) }

    func info(_ name: String, _ help: String) -> MetricFamily { family(name, .info, [.init(number: .one)], help) }
}

extension MetricFamily {
    /// Values that are told apart by one label: its values, and the field of each.
    static func split(_ label: String, _ fields: KeyValuePairs<String, String>) -> [Value] {
        fields.map { Value(labels: [(label, $0.key)], number: .field($0.value)) }
    }

    /// A series for each state that an enum can have, of which one is 1.
    static func states(_ label: String, _ field: String, _ states: KeyValuePairs<String, String>) -> [Value] {
        states.map { Value(labels: [(label, $0.key)], number: .isText(field, $0.value)) }
    }
}
