/// Types of the messages that fronts and workers send on their own. A client cannot send them: `$` is reserved.
public enum SystemType {
    /// A connection opened; a handler may refuse it.
    public static let connect = "$connect"
    /// A connection is gone.
    public static let disconnect = "$disconnect"
    /// A node has subscribers of these topics: note it in the directory, then read the log. Carries a ``SyncRequest``.
    public static let sync = "$sync"
    /// A node has no more subscribers of these topics. Carries a ``LeaveRequest``.
    public static let leave = "$leave"
    /// A subscriber is behind: read a page of the log for it. Carries a ``ReadRequest``.
    public static let read = "$read"
    /// A node lives. Carries a ``LeaseRequest``.
    public static let lease = "$lease"
    /// Users may have come or gone; workers send it, to their default pool. Carries a ``PresenceRequest``.
    public static let presence = "$presence"
    /// What nodes send by themselves, for no connection.
    public static let ofNodes: Set<String> = [sync, leave, read, lease]
}
