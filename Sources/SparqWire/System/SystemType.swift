/// Types of the messages that fronts and workers send on their own. A client cannot send them: `$` is reserved.
package enum SystemType {
    /// A connection opened; a handler may refuse it.
    @inlinable package static var connect: String { "$connect" }
    /// A connection is gone.
    @inlinable package static var disconnect: String { "$disconnect" }
    /// A node has subscribers of these topics: note it in the directory, then read the log. Carries a ``SyncRequest``.
    @inlinable package static var sync: String { "$sync" }
    /// A node has no more subscribers of these topics. Carries a ``LeaveRequest``.
    @inlinable package static var leave: String { "$leave" }
    /// A subscriber is behind: read a page of the log for it. Carries a ``ReadRequest``.
    @inlinable package static var read: String { "$read" }
    /// A node lives. Carries a ``LeaseRequest``.
    @inlinable package static var lease: String { "$lease" }
    /// Users may have come or gone; workers send it, to their default lane. Carries a ``PresenceRequest``.
    @inlinable package static var presence: String { "$presence" }
    /// A node is lost. Its handler's effects are effects of this; it does not travel.
    @inlinable package static var nodeLost: String { "$node-lost" }
    /// What nodes send for no connection. It goes to ``LaneMap/nodeLane``, and `NodeRequest` of the workers knows each of them.
    package static let ofNodes: Set<String> = [sync, leave, read, lease]
}
