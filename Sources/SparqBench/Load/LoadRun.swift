import Glibc

/// Sends, listens and counts. One thread; nothing is allocated per message.
final class LoadRun {
    private enum Phase { case warmUp, measuring, draining }

    private let settings: LoadSettings
    private let fleet: Fleet
    private var lanes: [Lane]
    private var listeners: [Listener]
    /// What counts: completed messages, or everything that is heard.
    private let countsDeliveries: Bool
    private var phase = Phase.warmUp
    private var latencies = LatencyRecorder()
    private var count = 0
    private var faults = BenchResult.Faults()
    private var notes: [String] = []
    private var now = 0
    private var touched: [Int] = []
    private var batches: [[UInt8]]

    /// One listener for each of the fleet's sockets.
    init(_ settings: LoadSettings, fleet: Fleet, lanes: [Lane], listeners: [Listener], countsDeliveries: Bool = false) {
        self.settings = settings
        self.fleet = fleet
        self.lanes = lanes
        self.listeners = listeners
        self.countsDeliveries = countsDeliveries
        batches = Array(repeating: [], count: lanes.count)
    }

    /// Runs all phases and fills in the result.
    func run(_ result: inout BenchResult) throws {
        let start = nanoseconds()
        let measuring = start + Int(settings.warmUp * 1e9)
        let end = measuring + Int(settings.seconds * 1e9)
        var meter: ProcessorMeter?
        var schedule = Schedule(settings.pace, from: start)
        var progress = Progress(isShown: settings.showsProgress, at: start)
        var measured = measuring
        now = start
        if case .window(let window) = settings.pace {
            for lane in lanes.indices { for _ in 0..<window { send(lane, due: start) } }
            flush()
        }
        while true {
            now = nanoseconds()
            if phase == .warmUp, now >= measuring {
                phase = .measuring
                measured = now
                meter = ProcessorMeter(settings.processes)
            }
            if phase == .measuring, now >= end { break }
            while let due = schedule.next(now) {
                send(schedule.lane(of: lanes.count), due: due)
            }
            flush()
            progress.show(now, count: count, p50: { latencies.summary?.p50 })
            try turn(min(schedule.wait(now), 20_000_000))
        }
        // What counts as sent must be sent.
        flush()
        result.seconds = Double(now - measured) / 1e9
        result.count = count
        result.rate = Double(count) / result.seconds
        result.latency = latencies.summary
        meter?.report(into: &result)
        try drain()
        result.faults = faults
        result.notes = notes
    }

    /// Waits until all that was sent is complete.
    private func drain() throws {
        phase = .draining
        let limit = nanoseconds() + 15_000_000_000
        while lanes.contains(where: { $0.sender != nil && $0.openCount > 0 }), nanoseconds() < limit, fleet.closed.isEmpty {
            try turn(50_000_000)
        }
        // A repetition comes late.
        let quiet = nanoseconds() + 200_000_000
        while nanoseconds() < quiet { try turn(50_000_000) }
        faults.lost += lanes.reduce(0) { $0 + ($1.sender == nil ? 0 : $1.openCount) }
        faults.closed += fleet.closed.count
        for reason in fleet.closed.prefix(3) { note("a socket closed: \(reason)") }
    }

    private func turn(_ limit: Int) throws {
        var isStale = true
        try fleet.turn(nanoseconds: limit) { socket, text in
            if isStale {
                now = nanoseconds()
                isStale = false
            }
            receive(text, at: socket)
        }
    }

    private func send(_ lane: Int, due: Int) {
        guard let sender = lanes[lane].sender else { return }
        lanes[lane].template.patch(lanes[lane].send(due: due))
        if batches[lane].isEmpty { touched.append(lane) }
        batches[lane].append(contentsOf: lanes[lane].template.frame)
        if batches[lane].count > 1 << 16 { flush(lane, sender) }
    }

    /// What one lane sends in one turn leaves with one system call.
    private func flush() {
        for lane in touched { if let sender = lanes[lane].sender { flush(lane, sender) } }
        touched.removeAll(keepingCapacity: true)
    }

    private func flush(_ lane: Int, _ sender: Int) {
        guard !batches[lane].isEmpty else { return }
        fleet.sockets[sender].send(batches[lane])
        batches[lane].removeAll(keepingCapacity: true)
    }

    private func receive(_ text: UnsafeRawBufferPointer, at socket: Int) {
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
            heard(number, lane)
        } else if FrameReading.begins(text, with: listeners[socket].replyPrefix) {
            let start = listeners[socket].replyPrefix.count
            guard let (number, end) = FrameReading.number(text, at: start) else { return unexpected(text) }
            let rest = UnsafeRawBufferPointer(rebasing: text[end...])
            guard FrameReading.begins(rest, with: Self.success) else {
                faults.refused += 1
                note(String(decoding: text.prefix(300), as: UTF8.self))
                return heard(number, lane)
            }
            guard listeners[socket].nextReply == number else { return outOfPlace(number, listeners[socket].nextReply) }
            listeners[socket].nextReply += 1
            heard(number, lane)
        } else if FrameReading.contains(text, "\"ok\":false") {
            unexpected(text)
        }
    }

    private static let success = Array("\",\"ok\":true".utf8)

    private func heard(_ number: Int, _ lane: Int) {
        guard lanes[lane].sender != nil else {
            // Somebody else sends: only what comes is counted.
            if phase == .measuring { count += 1 }
            return
        }
        guard let (due, isComplete) = lanes[lane].heard(number) else {
            faults.repeated += 1
            return
        }
        if phase == .measuring, countsDeliveries || isComplete {
            count += 1
            latencies.record(now - due)
        }
        if isComplete, phase != .draining, case .window = settings.pace { send(lane, due: now) }
    }

    private func outOfPlace(_ number: Int, _ expected: Int) {
        if number < expected { faults.repeated += 1 } else { faults.misordered += 1 }
        note("number \(number) came where \(expected) was to come")
    }

    private func unexpected(_ text: UnsafeRawBufferPointer) {
        faults.refused += 1
        note(String(decoding: text.prefix(300), as: UTF8.self))
    }

    private func note(_ text: String) {
        if notes.count < 5 { notes.append(text) }
    }
}
