/// A function of the server that clients call by name.
package struct Service: Equatable, Sendable {
    /// How a request or response is encoded, and what it holds.
    ///
    /// Viewers show a service only if both sides are JSON with a JSON Schema whose type is object.
    package struct Schema: Encodable, Equatable, Sendable {
        package var encoding: String
        package var schemaName: String
        package var schemaEncoding: String
        /// Text for JSON Schema, base64 for binary schemas.
        package var schema: String

        package init(encoding: String, schemaName: String, schemaEncoding: String, schema: String) {
            self.encoding = encoding
            self.schemaName = schemaName
            self.schemaEncoding = schemaEncoding
            self.schema = schema
        }

        /// JSON by a JSON Schema.
        package static func json(name: String, _ schema: String) -> Self {
            Self(encoding: "json", schemaName: name, schemaEncoding: "jsonschema", schema: schema)
        }
    }

    package var name: String
    package var type: String
    package var request: Schema
    package var response: Schema
    /// Encodings that are taken beside the declared one; the response then has the same.
    package var otherEncodings: [String]

    package init(name: String, type: String, request: Schema, response: Schema, otherEncodings: [String] = []) {
        self.name = name
        self.type = type
        self.request = request
        self.response = response
        self.otherEncodings = otherEncodings
    }

    /// The encoding of the response to a request in this encoding; nil: it is not understood.
    package func responseEncoding(to encoding: String) -> String? {
        if encoding == request.encoding { return response.encoding }
        return otherEncodings.contains(encoding) ? encoding : nil
    }
}
