internal import FoxgloveProtocol

/// What this client asks of a server, as JSON.
enum ClientRequest {
    case subscribe(id: UInt32, channelID: UInt32)
    /// Subscription ids.
    case unsubscribe([UInt32])
    case getParameters([String])
    case setParameters([Parameter])
    case subscribeParameterUpdates([String])

    var json: String {
        switch self {
        case .subscribe(let id, let channelID):
            let entry: JSONValue = .object(["id": .number(Double(id)), "channelId": .number(Double(channelID))])
            return Self.json("subscribe", "subscriptions", [entry])
        case .unsubscribe(let ids):
            return Self.json("unsubscribe", "subscriptionIds", ids.map { .number(Double($0)) })
        case .getParameters(let names): return Self.json("getParameters", "parameterNames", names.map { .string($0) })
        case .setParameters(let parameters): return Self.json("setParameters", "parameters", parameters.map(\.object))
        case .subscribeParameterUpdates(let names):
            return Self.json("subscribeParameterUpdates", "parameterNames", names.map { .string($0) })
        }
    }

    private static func json(_ op: String, _ member: String, _ elements: [JSONValue]) -> String {
        JSONValue.object(["op": .string(op), member: .array(elements)]).text
    }
}

extension Parameter {
    /// With its type where the number alone does not tell it.
    fileprivate var object: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name)]
        members["value"] = value?.json
        switch value {
        case .float: members["type"] = .string("float64")
        case .floats: members["type"] = .string("float64_array")
        case .bytes: members["type"] = .string("byte_array")
        case .json, nil: break
        }
        return .object(members)
    }
}
