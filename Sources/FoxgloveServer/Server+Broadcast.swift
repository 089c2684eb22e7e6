package import FoxgloveProtocol
import Telemetry

/// What the owner tells all clients: statuses, sessions, time, the state of a playback.
extension Server {
    // MARK: Status

    /// Shows a status to all clients, and to those that come later, until it is removed or replaced.
    package func setStatus(_ id: String, _ level: Status.Level, _ text: String) {
        let status = Status(level, text, id: id)
        guard !statuses.contains(status) else { return }
        if let index = statuses.firstIndex(where: { $0.id == id }) {
            statuses[index] = status
        } else {
            statuses.append(status)
        }
        let message = status.json
        forEachConnected { tell($0, message) }
    }

    /// Ends statuses.
    package func removeStatuses(_ ids: [String]) {
        let known = ids.filter { id in statuses.contains { $0.id == id } }
        guard !known.isEmpty else { return }
        statuses.removeAll { known.contains($0.id ?? "") }
        let message = RemoveStatus(statusIDs: known).json
        forEachConnected { tell($0, message) }
    }

    // MARK: Sessions

    /// Begins another session: viewers forget what they have. They forget datatypes too, so all is announced again;
    /// subscriptions go on.
    package func beginSession(_ id: String) {
        identity.sessionID = id
        forgetGreeting()
        forEachConnected { greet($0) }
    }

    // MARK: Time

    /// Tells the time before the data of this tick. Who has not taken the last one gets only this one; time never
    /// goes back within a session.
    func publishTime(now: Instant) {
        guard let wallClock = features.wallClock, features.capabilities.contains(.time), clientCount > 0 else { return }
        if let last = lastTimeAt, now < last + limits.timeInterval { return }
        lastTimeAt = now
        _ = takeTime(wallClock())
        forEachConnected { $0.owesTime = true }
    }

    /// The time to tell.
    func takeTime(_ time: Timestamp) -> Timestamp {
        lastTime = max(lastTime, time)
        return lastTime
    }

    // MARK: Playback

    /// Tells all clients where the playback stands; `request` is the one that this answers.
    package func publish(_ state: PlaybackState, answering request: PlaybackRequest? = nil) {
        let message = ServerBinaryMessage.playbackState(state, requestID: request?.requestID ?? "")
        if state.didSeek { lastTime = Timestamp(unixNanoseconds: 0) }
        forEachConnected { client in
            guard client.isSDK else { return }
            if request != nil {
                tell(client, message)
            } else {
                // Only the newest counts.
                client.owedPlaybackState = message
            }
        }
    }
}
