import NIOCore
import SparqFrontCore
import SparqWire
import SparqWebSocket

/// One WebSocket of a client: who it is, what it has sent, what it subscribes to. Confined to its shard's event loop.
///
/// It outlives its socket until what was on its way is finished, so that `$disconnect` follows it.
final class Connection {
    struct Subscription {
        let topic: TopicSubscribers
        var index: Int
    }

    /// In which of its shard's lists it stands.
    struct Lists: OptionSet {
        let rawValue: UInt8

        /// Those with messages on their way.
        static let busy = Lists(rawValue: 1)
        /// Those with messages to be sent.
        static let ready = Lists(rawValue: 2)
        /// Those with messages for lanes of which too much waits for the broker.
        static let held = Lists(rawValue: 4)
        /// Those with frames to be flushed.
        static let touched = Lists(rawValue: 8)
    }

    let id: ConnectionID
    /// The id's text.
    let name: String
    let user: String
    /// The address that the client comes from, as workers are told.
    let address: String?
    let shard: Shard
    private(set) var socket: (any ClientSocket)?
    var life = ConnectionLife()
    var inFlight = InFlight()
    /// The ordinal of the message that was finished last; 0 where that was a copy of what was finished before.
    private var lastFinished = 0
    var subscriptions: [Subscription] = []
    /// Among the user's connections of the shard; below 0 where it is none of them.
    var placeOfUser: Int32 = -1
    private var bucket = TokenBucket()
    /// Refusals of what is beyond the rate.
    private var refusals = TokenBucket()
    var lists: Lists = []
    /// What came for the client before its welcome, which is the first frame of all: what `$connect` itself subscribed it to.
    private var early: [ByteBuffer] = []
    /// Topics that the front refused, of requests that a worker answers.
    var refusedTopics: [Int: [String]] = [:]
    /// Questions of the front's own that are on their way.
    var silent: Set<Int> = []
    /// A subscriber of some topic is behind.
    var isCatchingUp = false

    init(id: ConnectionID, user: String, address: String? = nil, socket: any ClientSocket, shard: Shard) {
        self.address = address
        self.id = id
        name = id.description
        self.user = user
        self.socket = socket
        self.shard = shard
    }

    // MARK: From the socket

    /// The socket is open: the workers are asked whether it may stay. `agent` and `peer` are for them.
    func opened(agent: String?, peer: String?, resumes: Bool = false) {
        shard.add(self)
        let request = ConnectRequest(agent: agent, ip: peer, resume: resumes ? true : nil)
        send(SystemType.connect, id: nil, request.json, place: .first)
    }

    /// One whole message came.
    func received(_ text: ByteBuffer) {
        guard life.hears else { return }
        shard.counters.messages += 1
        let allowed = bucket.take(shard.rate, now: shard.now())
        let scanned: Result<Frame, FrameError> = text.withUnsafeReadableBytes { bytes in
            do throws(FrameError) { return .success(try FrameScanner.scan(bytes)) } catch { return .failure(error) }
        }
        switch scanned {
        case .success(let frame):
            guard allowed else { return refuseForRate(re: frame.id) }
            // Its lane has its share, and is too slow: the others must be heard.
            guard !inFlight.refuses(shard.settings.lanes.index(for: frame.type), shard.laneLimits, crowded: crowded) else {
                refuse(.unavailable, ErrorCode.fullLaneMessage, re: frame.id)
                return
            }
            let message = Array(text.readableBytesView)
            // Before anything is made of the names: work on many of them would hold up all that this loop serves.
            if SubscribeMessage.namesTopics(frame.type), FrameScanner.count("topics", in: message) > Topic.messageLimit {
                refuse(.tooManyTopics, "One message names \(Topic.messageLimit) topics at most.", re: frame.id)
            } else if frame.type == SubscribeMessage.type {
                subscribe(message, id: frame.id)
            } else {
                send(frame.type, id: frame.id, message)
            }
        // A page's sign of life: nobody but the front hears of it.
        case .failure(.reservedType(PingMessage.type, _)) where allowed: write(Frames.pong)
        case .failure(let error):
            if allowed { refuse(error.code, error.message, re: error.id) } else { refuseForRate(re: error.id) }
        }
    }

    /// A binary message came.
    func receivedBinary() {
        guard life.hears else { return }
        guard bucket.take(shard.rate, now: shard.now()) else { return refuseForRate(re: nil) }
        refuse(.binaryFrame, "A message is a text frame.", re: nil)
    }

    /// Frames came that are no messages, but count like them. Returns whether there was room for one.
    func receivedQuiet(_ frames: Int) -> Bool { bucket.takeAll(frames, shard.rate, now: shard.now()) }

    /// The socket can take more again.
    func drained() { catchUp() }

    /// The socket is gone.
    func closed() { leave() }

    // MARK: From the workers

    /// A worker is through with a message.
    func finished(_ ordinal: Int, reply: ArraySlice<UInt8>?) {
        let finish = inFlight.finish(ordinal)
        lastFinished = finish == .unknown ? 0 : ordinal
        let reply = complete(reply, of: ordinal)
        let isSilent = !silent.isEmpty && silent.remove(ordinal) != nil
        if isSilent {
            // Refusals of topics are right answers. Where nobody could look the client comes again.
            if finish == .answer, reply.map(ReplyOutcome.init) != .ok { close(.tryAgainLater, reason: "") }
        } else if finish == .answer {
            if ordinal == 1 {
                welcome(reply)
            } else if let reply {
                write(TextFrame.encode(reply))
            }
        }
        moveOn()
    }

    /// Whether what a message wants for this connection still counts: its `done` has just been taken, and is no copy that comes late.
    func isCurrent(_ ordinal: Int?) -> Bool { ordinal.map { $0 == lastFinished } ?? true }

    /// A message is tried again later.
    func postponed(_ ordinal: Int) {
        inFlight.postpone(ordinal)
        moveOn()
    }

    /// Messages never reached a worker.
    func undelivered(_ ordinals: [Int], _ code: ErrorCode = .unavailable) {
        for ordinal in ordinals {
            // `$connect`: nobody has heard of the connection, so nobody need hear of its end.
            if ordinal == 1, life.stage == .connecting || life.stage == .closed { return dismiss(.tryAgainLater, reason: "") }
            refusedTopics[ordinal] = nil
            silent.remove(ordinal)
            let (id, tell) = inFlight.fail(ordinal)
            if tell, id == Self.ownID { return close(.tryAgainLater, reason: "") }
            if tell { refuse(code, ErrorCode.undeliveredMessage(code), re: id) }
        }
        moveOn()
    }

    /// Looks at the deadlines.
    func sweep(now: Int) {
        var expired: [String?] = []
        inFlight.expire(now: now) { expired.append($0) }
        inFlight.look()
        switch life.stage {
        case .connecting: if !expired.isEmpty { close(.tryAgainLater, reason: "") }
        case .open, .leaving, .draining:
            if expired.contains(Self.ownID) { return close(.tryAgainLater, reason: "") }
            for id in expired { refuse(.unavailable, ErrorCode.unavailableMessage, re: id) }
            report(inFlight.overdue(now: now), isGivenUp: false)
            giveUp(now: now)
        // What was before `$disconnect` does not end: it must not wait for ever.
        case .closed: if let end = life.farewellAt, end <= now { shard.farewell(self) }
        case .slow, .removed: break
        }
        moveOn()
    }

    /// All that one event of the socket brought has been handled.
    func endTurn() { shard.finishTurn() }

    // MARK: Writing

    /// Writes a frame that must not be lost; a socket that cannot keep up is closed.
    func write(_ frame: ByteBuffer) {
        guard let socket else { return }
        switch life.write(bytes: frame.readableBytes, limit: shard.settings.outboundBytes) {
        case .now: break
        case .kept: return early.append(frame)
        case .never: return
        case .tooMuch: return shard.slow(self)
        }
        if !socket.isWritable, socket.bufferedBytes + frame.readableBytes > shard.settings.outboundBytes {
            shard.slow(self)
            return
        }
        socket.write(frame: frame)
        shard.touch(self)
    }

    /// Writes a frame that may be lost. Returns whether it was written.
    func writeEphemeral(_ frame: ByteBuffer) -> Bool {
        guard let socket, life.stage < .draining else { return false }
        switch life.write(bytes: frame.readableBytes, limit: shard.settings.outboundBytes / 2) {
        case .now: break
        case .kept:
            early.append(frame)
            return true
        case .never, .tooMuch: return false
        }
        if !socket.isWritable, socket.bufferedBytes + frame.readableBytes > shard.settings.outboundBytes / 2 { return false }
        socket.write(frame: frame)
        shard.touch(self)
        return true
    }

    /// Hands all that was written to the kernel.
    func flush() { socket?.flush() }

    /// Closes the socket with a code and a reason.
    func close(_ code: CloseCode, reason: String) {
        guard life.isPresent, let socket else { return }
        leave()
        socket.close(code, reason: reason)
    }

    /// Reads no more from the client, for the end of a drain.
    func stopReading() {
        life.drain()
        updateReading()
    }

    // MARK: Steps

    /// The id of the front's own questions; no client's has a control character.
    static let ownID = "\u{1}"

    func send(
        _ type: String,
        id: String?,
        _ message: [UInt8],
        place: InFlight.Place = .ordinary,
        topics: Int = 0,
        refused: [String] = []
    ) {
        let isSilent = id == Self.ownID
        let outgoing = Outgoing(type: type, receivedAt: shard.wallClock(), message: message, refused: refused, isSilent: isSilent)
        // Nobody waits for the end of a connection, and it must be told whenever that is.
        let deadline = place == .last ? .max : shard.now() + shard.settings.replyDeadline
        let lane = shard.settings.lanes.index(for: type)
        inFlight.receive(outgoing, lane: lane, place: place, bytes: message.count, topics: topics, id: id, deadline: deadline)
        shard.busy(self)
        moveOn()
    }

    private func welcome(_ reply: ArraySlice<UInt8>?) {
        switch reply.map(ReplyOutcome.init) ?? .ok {
        case .ok:
            guard life.welcome() else { return }
            write(Frames.welcome(connection: name, user: user, settings: shard.settings))
            let early = early
            self.early = []
            for frame in early { write(frame) }
            shard.welcomed(self)
        case .error(let code):
            // Where the workers failed it is no fault of the session's.
            dismiss(code == ErrorCode.internal.rawValue ? .internalError : .sessionEnded, reason: code)
        }
    }

    /// The end of a connection that there is nothing to take leave of.
    private func dismiss(_ code: CloseCode, reason: String) {
        let socket = socket
        self.socket = nil
        early = []
        shard.unsubscribeAll(self)
        shard.remove(self)
        socket?.close(code, reason: reason)
    }

    private func refuse(_ code: ErrorCode, _ message: String, re: String?) {
        write(Frames.error(code, message, re: re))
    }

    /// Refuses what is beyond the rate. As many of these are answered as may be sent, at once and by the second; then the socket is not read until the
    /// client may send again: a flood costs no more than the rate allows, and TCP holds it back.
    private func refuseForRate(re id: String?) {
        refuse(.rateLimited, "More than \(shard.settings.messagesPerSecond) messages a second.", re: id)
        let now = shard.now()
        _ = refusals.take(shard.rate, now: now)
        guard refusals.wait(shard.rate, now: now) > 0, !life.isResting else { return }
        shard.rests(self)
        tell(life.rest())
    }

    /// Reads again where it may send again. Returns whether that is so, or it is gone.
    func wake(now: Int) -> Bool {
        guard life.isPresent else { return true }
        guard bucket.wait(shard.rate, now: now) == 0 else { return false }
        life.wake()
        updateReading()
        return true
    }

    /// The client is gone, or is sent away: what is on its way goes on, and `$disconnect` follows it.
    private func leave() {
        guard life.close(farewellAt: shard.now() + shard.settings.replyDeadline) else { return }
        socket = nil
        early = []
        shard.unsubscribeAll(self)
        // Its `$connect` has not left: it does not any more.
        guard inFlight.hasSent else { return shard.remove(self) }
        inFlight.forgetPostponed()
        send(SystemType.disconnect, id: nil, DisconnectRequest().json, place: .last)
    }

    /// What is on its way and has no `done` for so long that it must be lost holds up its lane no longer. Its client was told `unavailable`.
    private func giveUp(now: Int) {
        // While no worker answers, nothing is through.
        guard let begin = shard.servedSince.map({ $0 + shard.settings.replyDeadline }) else { return }
        var unanswered: [String?] = []
        let given = inFlight.giveUp(now: now, patience: shard.settings.stuckPatience, begin: begin) { unanswered.append($0) }
        report(given, isGivenUp: true)
        for batch in given { for ordinal in batch.ordinals where !refusedTopics.isEmpty { refusedTopics[ordinal] = nil } }
        if unanswered.contains(Self.ownID) { return close(.tryAgainLater, reason: "") }
        for id in unanswered { refuse(.unavailable, ErrorCode.unavailableMessage, re: id) }
    }

    private func moveOn() {
        guard life.stage != .removed else { return }
        if inFlight.canSend { shard.ready(self) }
        updateReading()
    }

    private func report(_ batches: [InFlight.Batch], isGivenUp: Bool) {
        // While no worker answers at all, that is told.
        guard shard.servedSince != nil else { return }
        for batch in batches {
            let lane = shard.settings.lanes.names[batch.lane]
            shard.environment.unanswered(UnansweredBatch(lane: lane, connection: name, ordinals: batch.ordinals, isGivenUp: isGivenUp))
        }
    }

    /// Lanes whose messages wait with the connection because too much of them waits for the broker already.
    private var crowded: Set<Int> { lists.contains(.held) ? shard.crowded : [] }

    /// Reads from the socket as long as the client does not run ahead of the workers.
    func updateReading() {
        guard socket != nil else { return }
        inFlight.weigh(shard.laneLimits, crowded: crowded)
        tell(life.read(isAhead: inFlight.holdsBack(shard.laneLimits, crowded: crowded)))
    }

    private func tell(_ reading: ConnectionLife.Reading?) {
        switch reading {
        case .pause: socket?.pauseReading()
        case .resume: socket?.resumeReading()
        case nil: break
        }
    }
}
