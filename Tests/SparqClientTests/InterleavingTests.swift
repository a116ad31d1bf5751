import Testing

@testable import SparqClient

/// A client machine and a model server, joined by pipes that delay, lose and break, as a seed says.
@Suite struct InterleavingTests {
    struct Run {
        var machine: ClientMachine
        var server = ModelServer()
        var generator: SeededGenerator
        var now = 0
        /// Frames on their way to the server.
        var toServer: [[UInt8]] = []
        var connectAt: Int?
        var isOpen = false
        var opened = 0
        var results: [Int: Result<Reply, ClientError>] = [:]
        var doubleResults = 0
        var seen: [String: [Int]] = [:]
        var subscribed = 0

        init(seed: UInt64) {
            machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: seed))
            generator = SeededGenerator(seed: seed)
        }

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

        mutating func apply(_ actions: [ClientAction]) {
            for action in actions {
                switch action {
                case .connect(let delay): connectAt = now + delay
                case .write(let bytes): if isOpen { toServer.append(bytes) }
                case .disconnect: breakOff()
                case .complete(let token, let result):
                    if results.updateValue(result, forKey: token) != nil { doubleResults += 1 }
                case .subscribed: subscribed += 1
                case .deliver(.event(let event)):
                    if let topic = event.topic, let seq = event.seq { seen[topic, default: []].append(seq) }
                case .deliver: break
                case .finish: break
                }
            }
        }

        mutating func breakOff() {
            isOpen = false
            toServer = []
            server.lose()
        }

        mutating func step(isFaulty: Bool) {
            now += Int.random(in: 0...40, using: &generator)
            if let at = connectAt, now >= at, !isOpen {
                connectAt = nil
                if isFaulty, chance(20) { return apply(machine.connectFailed(status: chance(50) ? nil : 503, now: now)) }
                isOpen = true
                opened += 1
                server.open(number: opened)
                machine.connected(now: now)
            }
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...3:
                if let frame = server.takeFrame() { apply(machine.received([UInt8](frame.utf8), now: now)) }
            case 4...6:
                if !toServer.isEmpty {
                    let frame = toServer.removeFirst()
                    let (before, after) = (isFaulty && chance(8), isFaulty && chance(8))
                    server.receive(frame, failsBefore: before, failsAfter: after)
                }
            case 7:
                let pick = Int.random(in: 0..<1_000, using: &generator)
                server.push { pick % $0 }
            case 8:
                if isFaulty, isOpen, chance(25) {
                    let codes: [Int?] = [nil, 1001, 1011, 1012, 1013, 4008, 4009]
                    breakOff()
                    apply(machine.closed(code: codes[Int.random(in: 0..<codes.count, using: &generator)], now: now))
                }
            default: apply(machine.tick(now: now))
            }
        }
    }

    @Test(arguments: 0..<150)
    func everyMessageTakesEffectOnceAndEveryEventComesOnce(seed: Int) {
        var run = Run(seed: UInt64(seed))
        run.apply(run.machine.start(now: 0))
        run.apply(run.machine.subscribe(["a": 0, "b": 0], token: 1_000, deadline: .max))
        var sent = 0
        for round in 0..<3_000 {
            if round < 2_000, run.chance(5) {
                sent += 1
                run.apply(
                    run.machine.send(type: "say", fields: Array(#"{"text":"m\#(sent)"}"#.utf8), token: sent, deadline: .max, now: run.now)
                )
            }
            if round < 2_000, run.chance(10) { run.server.publish(run.chance(50) ? "a" : "b") }
            run.step(isFaulty: round < 2_000)
        }
        var quiet = 0
        while quiet < 100_000,
            run.results.count < sent || !run.server.isIdle || run.machine.phase != .ready || !run.machine.subscriptions.isEmpty
        {
            run.step(isFaulty: false)
            quiet += 1
        }
        #expect(sent > 50)
        #expect(run.opened > 3, "no fault happened")
        #expect(run.results.count == sent)
        #expect(run.doubleResults == 0)
        #expect(run.server.unreadable == 0)
        for (token, result) in run.results {
            let text = try? result.get().decode([String: String].self)["text"]
            #expect(text == "m\(token)", "the reply belongs to another message")
            #expect(run.server.effects["m\(token)"] == 1)
        }
        for topic in ["a", "b"] {
            #expect(run.seen[topic] ?? [] == Array(1..<(run.server.heads[topic, default: 0] + 1)), "topic \(topic)")
        }
        #expect(run.machine.counters.repeated == 0)
        #expect(run.machine.counters.gaps == 0)
        #expect(run.machine.counters.malformed == 0)
        #expect(run.machine.requests.isEmpty && run.machine.writtenCount == 0)
    }
}
