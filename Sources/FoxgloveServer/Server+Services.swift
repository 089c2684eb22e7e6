package import FoxgloveProtocol
package import Telemetry
package import WebSocketProtocol

/// A call that the owner answers with ``Server/respond(to:with:)`` or ``Server/fail(_:_:)``.
package struct ServiceCall: Equatable, Sendable {
    package var client: ConnectionID
    package var service: String
    /// Of the request.
    package var encoding: String
    package var payload: [UInt8]
    /// Tells this call from every other one of this run.
    var serial: UInt64
}

/// A call that has not been answered.
struct PendingCall {
    var serial: UInt64
    var serviceID: UInt32
    var callID: UInt32
    var responseEncoding: String
    var deadline: Instant
}

/// Services: offered by the owner, called by clients.
extension Server {
    /// Offers a service to all clients. An id is never used twice.
    package func add(_ service: Service) {
        guard !services.contains(where: { $0.service.name == service.name }) else { return }
        lastServiceID += 1
        services.append((lastServiceID, service))
        forgetGreeting()
        guard capabilities(isSDK: true).contains(.services) else { return }
        let message = AdvertiseServices(services: [AdvertisedService(id: lastServiceID, service)]).json
        forEachConnected { tell($0, message) }
    }

    package func removeService(_ name: String) {
        guard let index = services.firstIndex(where: { $0.service.name == name }) else { return }
        let (id, _) = services.remove(at: index)
        forgetGreeting()
        guard capabilities(isSDK: true).contains(.services) else { return }
        let message = UnadvertiseServices(serviceIDs: [id]).json
        forEachConnected { tell($0, message) }
    }

    /// Whether a caller may have a sample taken: the bound of each keeps it from using up that of all.
    package func allowSample(for call: ServiceCall, now: Instant) -> Bool {
        guard client(call.client)?.sampleRate.allow(now: now) == true else {
            reach(.samples)
            return false
        }
        if sampleRate.allow(now: now) { return true }
        reach(.allSamples)
        return false
    }

    func receiveCall(
        _ serviceID: UInt32, _ callID: UInt32, _ encoding: String, _ payload: [UInt8], from id: ConnectionID,
        now: Instant
    ) {
        guard let client = client(id) else { return }
        func refuse(_ text: String) { fail(client, serviceID, callID, text) }
        guard offers(.services, to: client) else { return refuse(Capability.services.missingText) }
        guard let (_, service) = services.first(where: { $0.id == serviceID }) else { return refuse("Unknown service") }
        guard let responseEncoding = service.responseEncoding(to: encoding) else {
            return refuse("Unsupported encoding")
        }
        guard payload.count <= limits.commandByteCount else {
            reach(.commands)
            return refuse("A request may have \(limits.commandByteCount) bytes at most")
        }
        guard client.pendingCalls.count < limits.requestsPerClient else {
            reach(.serviceCalls)
            return refuse("Too many requests")
        }
        lastRequestSerial += 1
        client.pendingCalls.append(
            PendingCall(
                serial: lastRequestSerial, serviceID: serviceID, callID: callID, responseEncoding: responseEncoding,
                deadline: now + limits.serviceCallTime))
        report(
            .serviceCalled(
                ServiceCall(
                    client: id, service: service.name, encoding: encoding, payload: payload, serial: lastRequestSerial))
        )
    }

    /// Answers a call, in the encoding of its request's kind. Does nothing if the caller is gone.
    package func respond(to call: ServiceCall, with payload: [UInt8]) {
        guard let (client, pending) = takePending(call) else { return }
        tell(
            client,
            .serviceResponse(
                serviceID: pending.serviceID, callID: pending.callID, encoding: pending.responseEncoding,
                payload: payload))
    }

    /// Refuses a call that the protocol does not allow to be answered, such as one that cannot be decoded.
    package func fail(_ call: ServiceCall, _ text: String) {
        guard let (client, pending) = takePending(call) else { return }
        fail(client, pending.serviceID, pending.callID, text)
    }

    /// Viewers are known to ignore failures, so that they get a status as well.
    private func fail(_ client: Client, _ serviceID: UInt32, _ callID: UInt32, _ text: String) {
        tell(client, ServiceCallFailure(serviceID: serviceID, callID: callID, message: text).json)
        refuse(client, text)
    }

    private func takePending(_ call: ServiceCall) -> (Client, PendingCall)? {
        guard let client = client(call.client),
            let index = client.pendingCalls.firstIndex(where: { $0.serial == call.serial })
        else { return nil }
        return (client, client.pendingCalls.remove(at: index))
    }

    /// Fails the calls that nobody answered in time.
    func failOverdueCalls(of client: Client, now: Instant) {
        while let first = client.pendingCalls.first, first.deadline <= now {
            client.pendingCalls.removeFirst()
            fail(
                client, first.serviceID, first.callID, "Internal server error: service failed to send a response")
        }
    }
}
