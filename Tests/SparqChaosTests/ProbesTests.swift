import Testing

@testable import sparq_chaos

@Suite struct ProbesTests {
    @Test func everyFrontHasTwoProbesThatKnowNoOther() {
        let fronts = ["ws://a", "ws://b", "ws://c"]
        let probes = Probes(token: "", sockets: fronts, seed: 1, deadline: .now)
        #expect(probes.clients.map(\.urls).sorted { $0[0] < $1[0] } == fronts.flatMap { [[$0], [$0]] })
    }

    @Test func serviceIsBackWithTheLastProbe() async {
        let start = ContinuousClock.now
        let probes = Probes(token: "", sockets: ["ws://a"], seed: 1, deadline: start)
        await probes.log.note(probe: 0, start: start + .seconds(1), end: start + .seconds(2))
        // Sent before the fault: says nothing of the time after it.
        await probes.log.note(probe: 1, start: start - .seconds(1), end: start + .seconds(1))
        #expect(await probes.recovery(after: start) == nil)
        await probes.log.note(probe: 1, start: start + .seconds(3), end: start + .seconds(4))
        #expect(await probes.recovery(after: start) == .seconds(4))
    }
}
