internal import FoxgloveProtocol
package import WebSocketProtocol

/// A client's request for an asset that its owner makes, and answers with ``Server/answer(_:with:)``.
package struct AssetRequest: Equatable, Sendable {
    package var client: ConnectionID
    package var uri: String
    /// Tells this request from every other one of this run.
    var serial: UInt64
}

/// Assets: bytes that clients fetch by a URI. A table and no file system: nothing that a client says is ever a path.
extension Server {
    func sendAsset(_ uri: String, _ requestID: UInt32, to id: ConnectionID, _ client: Client) {
        if client.connection.outbox.isEmpty { client.assetCount = client.pendingAssets.count }
        client.assetCount += 1
        guard client.assetCount <= limits.requestsPerClient else {
            reach(.assetRequests)
            return tell(client, .assetFailure(requestID: requestID, reason: "Too many concurrent fetch asset requests"))
        }
        if features.madeAssets.contains(uri) {
            lastRequestSerial += 1
            client.pendingAssets.append((lastRequestSerial, requestID))
            report(.assetRequested(AssetRequest(client: id, uri: uri, serial: lastRequestSerial)))
        } else if let asset = features.assets[uri] {
            tell(client, .asset(requestID: requestID, asset))
        } else {
            tell(client, .assetFailure(requestID: requestID, reason: "Unknown asset \(quoted(uri))"))
        }
    }

    /// Sends what was asked for. A client that went away gets nothing.
    package func answer(_ request: AssetRequest, with asset: [UInt8]) {
        guard let client = client(request.client),
            let index = client.pendingAssets.firstIndex(where: { $0.serial == request.serial })
        else { return }
        tell(client, .asset(requestID: client.pendingAssets.remove(at: index).requestID, asset))
    }
}
