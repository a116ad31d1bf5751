import SparqWire

extension SparqWire.Delivery {
    /// The same with less in it, where the broker does not take it as it is: so a small limit of the broker's stops neither a connection nor a topic.
    /// `nil` where there is nothing to leave out.
    var smaller: [SparqWire.Delivery]? {
        switch self {
        case .done(var done):
            guard let reply = done.reply, let body = try? ReplyBody(decoding: reply) else { return nil }
            done.reply = ReplyBody.error(id: body.re, .tooMuch)
            return [.done(done)]
        case .event(var event):
            // Ephemeral ones may be lost.
            guard event.seq != nil, let body = Self.omitted(event.body) else { return nil }
            event.body = body
            return [.event(event)]
        case .page(var page):
            // What is missing behind it is asked for anew.
            page.events = Array(page.events.prefix(max(1, page.events.count / 2)))
            if self == .page(page) {
                guard let event = page.events.first, let body = Self.omitted(event) else { return nil }
                page.events = [body]
            }
            return [.page(page)]
        case .subscribe(let connection, let ordinal, let grants):
            guard grants.count > 1 else { return nil }
            return [grants.prefix(grants.count / 2), grants.dropFirst(grants.count / 2)].map {
                .subscribe(connection: connection, ordinal: ordinal, grants: Array($0))
            }
        case .postponed, .send, .unsubscribe, .disconnect, .synced, .lease, .differs: return nil
        }
    }

    private static func omitted(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let event = try? EventBody(decoding: body), let topic = event.topic, let seq = event.seq, let at = event.at else {
            return nil
        }
        return EventBody.omitted(type: event.type, topic: topic, seq: seq, at: Array(at.utf8)[...], .tooLarge)
    }
}
