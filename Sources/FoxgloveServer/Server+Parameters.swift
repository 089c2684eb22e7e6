package import FoxgloveProtocol
import Telemetry
package import WebSocketProtocol

/// A client's request for parameters, which its owner answers with ``Server/answer(_:with:)``.
package struct ParameterRequest: Equatable, Sendable {
    package var client: ConnectionID
    /// What to set first; nil: nothing. A parameter without a value is to be deleted.
    package var assignments: [Parameter]?
    /// Whose values to answer with; none: all.
    package var names: [String]
    /// Comes back with the answer.
    var requestID: String?
}

/// Parameters: their values are the owner's, who subscribed is the server's business.
extension Server {
    func request(_ assignments: [Parameter]?, _ names: [String], requestID: String?, from id: ConnectionID) {
        guard let client = client(id) else { return }
        guard names.count <= limits.parametersPerRequest else {
            reach(.parametersPerRequest)
            return refuse(client, "A request may name \(limits.parametersPerRequest) parameters at most")
        }
        guard client.parameterRequestCount < limits.requestsPerClient else {
            reach(.parameterRequests)
            return refuse(client, "Too many concurrent parameter requests")
        }
        client.parameterRequestCount += 1
        report(
            .parametersRequested(
                ParameterRequest(client: id, assignments: assignments, names: names, requestID: requestID)))
    }

    /// Answers a request with the values now in effect. Who sets without an id expects no answer.
    package func answer(_ request: ParameterRequest, with parameters: [Parameter]) {
        guard let client = client(request.client), client.parameterRequestCount > 0 else { return }
        client.parameterRequestCount -= 1
        guard request.assignments == nil || request.requestID != nil else { return }
        tell(client, ParameterValues(parameters, requestID: request.requestID).json)
    }

    /// Tells every subscriber of these parameters about their new values.
    package func publish(_ parameters: [Parameter]) {
        forEachConnected { client in
            let wanted = parameters.filter { $0.value != nil && client.parameterNames.contains($0.name) }
            if !wanted.isEmpty { tell(client, ParameterValues(wanted).json) }
        }
    }

    func subscribe(_ client: Client, toParameters names: [String]) {
        for name in names where !client.parameterNames.contains(name) {
            guard name.utf8.count <= limits.parameterNameByteCount else {
                reach(.parameterSubscriptions)
                refuse(client, "No parameter name is longer than \(limits.parameterNameByteCount) bytes")
                continue
            }
            guard client.parameterNames.count < limits.parameterSubscriptionsPerClient else {
                reach(.parameterSubscriptions)
                refuse(
                    client, "Too many parameter subscriptions; the limit is \(limits.parameterSubscriptionsPerClient)")
                return
            }
            client.parameterNames.insert(name)
        }
    }
}
