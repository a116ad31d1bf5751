import Glibc

/// Sends and listens. One thread; nothing is allocated per message.
final class LoadRun {
    private let settings: LoadSettings
    private let fleet: Fleet
    private let start = nanoseconds()
    private let measured: Range<Int>
    private var reception: Reception
    private var isDraining = false
    private var now = 0
    private var touched: [Int] = []
    private var batches: [[UInt8]]

    /// One listener for each of the fleet's sockets. The time runs from here.
    init(_ settings: LoadSettings, fleet: Fleet, lanes: [Lane], listeners: [Listener], countsDeliveries: Bool = false) {
        self.settings = settings
        self.fleet = fleet
        let measuring = start + Int(settings.warmUp * 1e9)
        measured = measuring..<(measuring + Int(settings.seconds * 1e9))
        reception = Reception(lanes: lanes, listeners: listeners, countsDeliveries: countsDeliveries, measured: measured)
        batches = Array(repeating: [], count: lanes.count)
    }

    /// Runs all phases and fills in the result.
    func run(_ result: inout BenchResult) throws {
        var meter: ProcessorMeter?
        var schedule = Schedule(settings.pace, from: start)
        var progress = Progress(isShown: settings.showsProgress, at: start)
        let lanes = batches.count
        now = start
        if case .window(let window) = settings.pace {
            for lane in 0..<lanes { for _ in 0..<window { send(lane, due: start) } }
            flush()
        }
        while true {
            now = nanoseconds()
            if meter == nil, measured.contains(now) { meter = ProcessorMeter(settings.processes) }
            // What was due before the end is sent, however late we are with it.
            while let due = schedule.next(min(now, measured.upperBound - 1)) { send(schedule.lane(of: lanes), due: due) }
            flush()
            if now >= measured.upperBound { break }
            progress.show(now, count: reception.count, p50: { reception.latencies.summary?.p50 })
            try turn(min(schedule.wait(now), measured.upperBound - now, 20_000_000))
        }
        result.seconds = settings.seconds
        result.count = reception.count
        result.rate = Double(reception.count) / result.seconds
        meter?.report(into: &result)
        try drain()
        result.latency = reception.latencies.summary
        result.faults = reception.faults
        result.notes = reception.notes
    }

    /// Waits until all that was sent is complete.
    private func drain() throws {
        isDraining = true
        let limit = nanoseconds() + 15_000_000_000
        while reception.isOpen, nanoseconds() < limit, fleet.closed.isEmpty { try turn(50_000_000) }
        // A repetition comes late.
        let quiet = nanoseconds() + 200_000_000
        while nanoseconds() < quiet { try turn(50_000_000) }
        reception.end(closed: fleet.closed)
    }

    private func turn(_ limit: Int) throws {
        var isStale = true
        try fleet.turn(nanoseconds: limit) { socket, text in
            if isStale {
                now = nanoseconds()
                isStale = false
            }
            guard let lane = reception.receive(text, at: socket, now: now), !isDraining, case .window = settings.pace else { return }
            send(lane, due: now)
        }
    }

    private func send(_ lane: Int, due: Int) {
        guard let sender = reception.lanes[lane].sender else { return }
        if batches[lane].isEmpty { touched.append(lane) }
        batches[lane].append(contentsOf: reception.send(lane, due: due))
        if batches[lane].count > 1 << 16 { flush(lane, sender) }
    }

    /// What one lane sends in one turn leaves with one system call.
    private func flush() {
        for lane in touched { if let sender = reception.lanes[lane].sender { flush(lane, sender) } }
        touched.removeAll(keepingCapacity: true)
    }

    private func flush(_ lane: Int, _ sender: Int) {
        guard !batches[lane].isEmpty else { return }
        fleet.sockets[sender].send(batches[lane])
        batches[lane].removeAll(keepingCapacity: true)
    }
}
