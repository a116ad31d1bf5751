/// What was sent and what was heard of it: counts, latencies, and what is wrong. No I/O and no clock; every time is given.
struct Reception {
    private(set) var lanes: [Lane]
    private var listeners: [Listener]
    /// What counts: completed messages, or everything that is heard.
    private let countsDeliveries: Bool
    /// The measured time. A message belongs to it by when it was due, however late it is complete: one that a stall holds up beyond the end
    /// counts, and one from before the beginning does not.
    private let measured: Range<Int>
    private(set) var latencies = LatencyRecorder()
    /// What was completed, or heard, in the measured time: the rate.
    private(set) var count = 0
    private(set) var faults = BenchResult.Faults()
    private(set) var notes: [String] = []

    init(lanes: [Lane], listeners: [Listener], countsDeliveries: Bool, measured: Range<Int>) {
        self.lanes = lanes
        self.listeners = listeners
        self.countsDeliveries = countsDeliveries
        self.measured = measured
    }

    /// A lane's next message goes out. Returns its frame.
    mutating func send(_ lane: Int, due: Int) -> [UInt8] {
        lanes[lane].template.patch(lanes[lane].send(due: due))
        return lanes[lane].template.frame
    }

    /// Messages of our own are on their way.
    var isOpen: Bool { lanes.contains { $0.sender != nil && $0.openCount > 0 } }

    /// Nothing more will come.
    mutating func end(closed: [String]) {
        faults.lost += lanes.reduce(0) { $0 + ($1.sender == nil ? 0 : $1.openCount) }
        faults.closed += closed.count
        for reason in closed.prefix(3) { note("a socket closed: \(reason)") }
    }

    /// A socket got a text message. Returns the lane of the message that is complete with it, if one is.
    mutating func receive(_ text: UnsafeRawBufferPointer, at socket: Int, now: Int) -> Int? {
        let lane = listeners[socket].lane
        if FrameReading.begins(text, with: listeners[socket].eventPrefix) {
            guard let seq = FrameReading.number(text, at: listeners[socket].eventPrefix.count),
                let place = FrameReading.end(of: "\"text\":\"n", in: text, from: seq.end),
                let number = FrameReading.number(text, at: place)?.value
            else { return unexpected(text) }
            if listeners[socket].seq != 0, seq.value != listeners[socket].seq + 1 {
                return outOfPlace(seq.value, listeners[socket].seq + 1)
            }
            listeners[socket].seq = seq.value
            guard listeners[socket].nextEvent == number else { return outOfPlace(number, listeners[socket].nextEvent) }
            listeners[socket].nextEvent += 1
            return heard(number, lane, now)
        } else if FrameReading.begins(text, with: listeners[socket].replyPrefix) {
            let start = listeners[socket].replyPrefix.count
            guard let (number, end) = FrameReading.number(text, at: start) else { return unexpected(text) }
            let rest = UnsafeRawBufferPointer(rebasing: text[end...])
            guard FrameReading.begins(rest, with: Self.success) else {
                faults.refused += 1
                note(String(decoding: text.prefix(300), as: UTF8.self))
                return heard(number, lane, now)
            }
            guard listeners[socket].nextReply == number else { return outOfPlace(number, listeners[socket].nextReply) }
            listeners[socket].nextReply += 1
            return heard(number, lane, now)
        } else if !FrameReading.begins(text, with: Self.other), FrameReading.contains(text, "\"ok\":false") {
            return unexpected(text)
        }
        return nil
    }

    /// Answers to what is said beside what is measured.
    private static let other = Array("{\"re\":\"other-".utf8)
    private static let success = Array("\",\"ok\":true".utf8)

    private mutating func heard(_ number: Int, _ lane: Int, _ now: Int) -> Int? {
        guard lanes[lane].sender != nil else {
            // Somebody else sends: only what comes is counted.
            if measured.contains(now) { count += 1 }
            return nil
        }
        guard let (due, isComplete) = lanes[lane].heard(number) else {
            faults.repeated += 1
            return nil
        }
        if countsDeliveries || isComplete {
            if measured.contains(now) { count += 1 }
            if measured.contains(due) { latencies.record(now - due) }
        }
        return isComplete ? lane : nil
    }

    private mutating func outOfPlace(_ number: Int, _ expected: Int) -> Int? {
        if number < expected { faults.repeated += 1 } else { faults.misordered += 1 }
        note("number \(number) came where \(expected) was to come")
        return nil
    }

    private mutating func unexpected(_ text: UnsafeRawBufferPointer) -> Int? {
        faults.refused += 1
        note(String(decoding: text.prefix(300), as: UTF8.self))
        return nil
    }

    private mutating func note(_ text: String) {
        if notes.count < 5 { notes.append(text) }
    }
}
