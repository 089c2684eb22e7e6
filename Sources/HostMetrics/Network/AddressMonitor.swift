/// The addresses of this machine by rtnetlink(7): dumped anew when the kernel tells of a change.
package struct AddressMonitor<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
    private var requests: NetlinkDumper<Transport>
    private var notifications: Transport
    private var addressRequest = Netlink.addressRequest()
    private var linkRequest = Netlink.linkRequest(sequence: 0)
    private var isStale = true
    private var found: [InterfaceAddress] = []
    private var foundLinks = LinkDirectory()
    /// Ordered as they are published.
    package private(set) var addresses: [InterfaceAddress] = []
    /// Their interfaces.
    package private(set) var links: [LinkDirectory.Link] = []

    /// Datagrams of notifications that are read at once; the rest is news again.
    package static var notificationCountMax: Int { 4_096 }
    /// Addresses that are kept: many more than are published.
    package static var addressCountMax: Int { 16_384 }

    package init(requests: consuming Transport, notifications: consuming Transport) {
        self.requests = NetlinkDumper(requests)
        self.notifications = notifications
    }

    /// Dumps if there was news; returns whether anything is different from before.
    package mutating func refresh() throws(CollectError) -> Bool {
        drainNotifications()
        guard isStale else { return false }
        // Not complete after all attempts: others come and go, and each change is news again.
        _ = try requests.readAll(&linkRequest) {
            foundLinks.removeAll()
        } _: { header, payload in
            foundLinks.add(header, payload)
        }
        _ = try requests.readAll(&addressRequest) {
            found.removeAll(keepingCapacity: true)
        } _: { header, payload in
            guard found.count < Self.addressCountMax, let address = InterfaceAddress(header, payload) else { return }
            found.append(address)
        }
        isStale = false
        return takeOver()
    }

    private mutating func takeOver() -> Bool {
        // The index breaks ties, so that the kernel's order stays.
        found = found.enumerated().sorted { left, right in
            if left.element.precedes(right.element) { return true }
            return !right.element.precedes(left.element) && left.offset < right.offset
        }.map(\.element)
        let foundLinks = found.map { self.foundLinks[$0.interface] ?? LinkDirectory.Link(index: $0.interface) }
        guard found != addresses || foundLinks != links else { return false }
        addresses = found
        links = foundLinks
        return true
    }

    /// What they say is not looked at: whatever it is, the dump knows it.
    private mutating func drainNotifications() {
        for _ in 1...Self.notificationCountMax {
            switch notifications.receive() {
            case .datagram, .lost: isStale = true
            case .nothing: return
            case .failed:
                isStale = true
                return
            }
        }
    }
}
