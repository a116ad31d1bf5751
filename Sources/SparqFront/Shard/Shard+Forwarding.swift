import SparqFrontCore
import SparqWire

/// What goes to the workers: all that one turn of the loop brought, together.
extension Shard {
    func planSubmit() {
        guard !isSubmitPlanned, servedSince != nil else { return }
        isSubmitPlanned = true
        environment.later { self.submit() }
    }

    /// While no worker answers, only connections that have ended are submitted, with each sweep.
    func submit() {
        isSubmitPlanned = false
        guard !readyConnections.isEmpty else { return }
        crowded = forwarder.crowded
        let isServed = servedSince != nil
        let ready = readyConnections.filter { $0.life.stage != .removed && (isServed || $0.life.stage == .closed) }
        readyConnections.removeAll { isServed || !$0.life.isPresent }
        guard !ready.isEmpty else { return }
        forwarder.forward { batches in
            for connection in ready {
                connection.lists.remove(.ready)
                connection.inFlight.send(to: { !crowded.contains($0) }) { message, id, ordinal, deadline in
                    if !message.refused.isEmpty { connection.refusedTopics[ordinal] = message.refused }
                    if message.isSilent { connection.silent.insert(ordinal) }
                    batches.add(
                        envelope(connection, message, id: id, ordinal: ordinal),
                        member: Batch.Member(connection: connection.id, ordinal: ordinal, deadline: deadline)
                    )
                }
            }
        }
        for connection in ready {
            // Its last message was `$disconnect`.
            if connection.life.stage == .closed, connection.inFlight.waiting == 0 {
                remove(connection)
                continue
            }
            if connection.inFlight.canSend { hold(connection) }
            connection.updateReading()
        }
    }

    /// The forwarder has room again.
    func relieved() {
        guard !heldConnections.isEmpty else { return }
        for connection in takeHeld() { ready(connection) }
        submit()
        finishTurn()
    }

    /// Sends again what is on its way and whose answers may be lost with the node's queue: what took effect is answered as it was the first time.
    /// Where there is no room for it, its clients hear `unavailable` in time.
    func sendAgain() {
        let crowded = forwarder.crowded
        forwarder.forward { batches in
            for connection in busyConnections where connection.life.isPresent {
                connection.inFlight.sendAgain(to: { !crowded.contains($0) }) { message, id, ordinal, deadline in
                    batches.add(
                        envelope(connection, message, id: id, ordinal: ordinal),
                        member: Batch.Member(connection: connection.id, ordinal: ordinal, deadline: deadline, isCopy: true)
                    )
                }
            }
            requests.sendAgain { number, request, receivedAt, deadline in
                guard !crowded.contains(settings.lanes.index(for: request.type)) else { return }
                let id = ConnectionID(kind: .http, shard: index, number: number)
                batches.add(
                    envelope(request, id, receivedAt: receivedAt),
                    member: Batch.Member(connection: id, ordinal: 1, deadline: deadline, isCopy: true)
                )
            }
        }
    }

    /// Sends `$disconnect` without waiting for what is before it, and forgets the connection. Not while there is no room: the next sweep asks
    /// again, and no new connections come meanwhile.
    func farewell(_ connection: Connection) {
        guard connection.life.stage != .removed, !forwarder.isCrowded(SystemType.disconnect) else { return }
        forwarder.forward { batches in
            // Beyond all that it has sent; nobody waits for its `done`.
            let ordinal = Int(Int32.max)
            batches.add(
                envelope(
                    connection,
                    Outgoing(type: SystemType.disconnect, receivedAt: wallClock(), message: DisconnectRequest().json),
                    id: nil,
                    ordinal: ordinal
                ),
                member: Batch.Member(connection: connection.id, ordinal: ordinal)
            )
        }
        remove(connection)
    }

    private func envelope(_ connection: Connection, _ message: Outgoing, id: String?, ordinal: Int) -> Envelope {
        Envelope(
            node: settings.node,
            connection: connection.name,
            ordinal: ordinal,
            user: connection.user,
            address: connection.address,
            receivedAt: message.receivedAt,
            type: message.type,
            id: id,
            message: message.message[...]
        )
    }

    /// Forwards one HTTP request's message; `answer` is called once, on the event loop.
    func request(_ request: HTTPMessage, answer: @escaping (HTTPAnswer) -> Void) {
        guard !forwarder.isCrowded(request.type) else {
            counters.unavailable += 1
            answer(.unavailable)
            return
        }
        counters.requests += 1
        let id = ConnectionID.random(.http, shard: index)
        let (receivedAt, deadline) = (wallClock(), now() + settings.replyDeadline)
        requests.add(id.number, request, receivedAt: receivedAt, deadline: deadline, answer: answer)
        forwarder.forward { batches in
            batches.add(
                envelope(request, id, receivedAt: receivedAt),
                member: Batch.Member(connection: id, ordinal: 1, deadline: deadline)
            )
        }
    }

    private func envelope(_ request: HTTPMessage, _ id: ConnectionID, receivedAt: Int) -> Envelope {
        Envelope(
            node: settings.node,
            connection: id.description,
            ordinal: 1,
            user: request.user,
            address: request.address,
            receivedAt: receivedAt,
            type: request.type,
            id: request.id,
            message: request.message[...]
        )
    }
}
