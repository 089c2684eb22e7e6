/// A channel's place in a server's fixed list of channels.
package struct ChannelID: Hashable, Sendable {
    package let index: Int
    package init(index: Int) { self.index = index }
}

/// How a payload is to be read: what a client needs in order to decode it.
package struct Schema: Sendable {
    /// Full protobuf name, without a leading dot.
    package var name: String
    /// A serialized `google.protobuf.FileDescriptorSet`, imports included.
    package var descriptorSet: [UInt8]

    package init(name: String, descriptorSet: [UInt8]) {
        self.name = name
        self.descriptorSet = descriptorSet
    }
}

/// One published stream of equal-typed messages.
package struct Channel: Sendable {
    /// Only letters, digits, `_`, `-` and `/`: anything else would need quotes in a viewer's message path.
    package var topic: String
    /// Of the messages and of the schema alike; "protobuf" for everything that a viewer is to decode.
    package var encoding: String
    package var schema: Schema
    /// Whether each new subscriber gets the last message without waiting for the next.
    package var isLatched: Bool

    package init(topic: String, encoding: String = "protobuf", schema: Schema, isLatched: Bool = false) {
        self.topic = topic
        self.encoding = encoding
        self.schema = schema
        self.isLatched = isLatched
    }
}
