import Foundation
import Testing

@testable import SparqBench

/// Attacks say what they are meant to say, and the table judges what they did to others.
struct NeighbourTests {
    @Test func refusedNamesFillAFrameAndAreAllOutOfForm() throws {
        let text = RefusedNames(bytes: 65_000).text
        #expect(text.utf8.count <= 65_000 && text.utf8.count > 64_000)
        let message = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let topics = try #require(message["topics"] as? [String: Any])
        #expect(message["type"] as? String == "subscribe" && topics.count > 5000)
        #expect(text.unicodeScalars.count { $0 == "\u{301}" } >= topics.count)
    }

    @Test func pingsAreWholeFrames() {
        let frames = PingFlood(joined: 3).frames
        #expect(frames.count == 18 && frames[6] == 0x89 && frames[7] == 0x80)
    }

    @Test func joinsGoOutAndInOfOneRoomUnderIdsOfTheirOwn() throws {
        let words = RoomJoins(joined: 200).words("a-1-", room: "r")
        let messages = try words.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String]) }
        #expect(messages.prefix(3).map { $0["type"] } == ["room.leave", "room.join", "room.leave"])
        #expect(Set(messages.map { $0["id"] }).count == 200 && Set(messages.map { $0["room"] }) == ["r"])
    }

    @Test func oversizedMessagesLieAroundTheLimit() {
        let attack = OversizedMessages(limit: 100_000)
        let sizes = (0..<31).map { attack.size($0) }
        #expect(Set(sizes).count == 31 && sizes.min() == 99_000 && sizes.max() == 100_500)
        for size in sizes { #expect(attack.word("some-id", bytes: size).utf8.count == size) }
    }

    @Test func guessesAndWordsAreMessages() throws {
        let texts = [
            LoginFlood().guess("l1", of: "ann"), HangingHandler().word("h1"), SlowFront().word("s1", room: "r"), SilentLane().word("v1"),
        ]
        for text in texts {
            let message = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
            #expect(message["type"] != nil && message["id"] != nil)
        }
        #expect(LockedTable(seconds: 3).statement.contains("pg_sleep(3)"))
    }

    private func line(_ attack: String, p99: Double, faults: Int = 0) throws -> String {
        var result = BenchResult("neighbours", ["attack": attack, "title": "the \(attack)"])
        result.count = 100
        result.latency = BenchResult.Latency(p50: 1000, p90: 2000, p99: p99, p999: p99, max: p99)
        result.faults.lost = faults
        return try result.json()
    }

    @Test func fiveTimesTheQuietWaitIsTheLimit() throws {
        #expect(try NeighbourTable(lines: [line("quiet", p99: 6000), line("pings", p99: 29_000)]).isSound)
        let table = try NeighbourTable(lines: [line("quiet", p99: 6000), line("pings", p99: 31_000)])
        #expect(!table.isSound && table.markdown.contains("| the pings | 100 | 0 | 1000 µs | 31.0 ms | 5.2 |"))
    }

    @Test func aQuietWaitBelowTheMachinesOwnCountsAsThat() throws {
        #expect(try NeighbourTable(lines: [line("quiet", p99: 900), line("pings", p99: 24_000)]).isSound)
        #expect(try !NeighbourTable(lines: [line("quiet", p99: 900), line("pings", p99: 26_000)]).isSound)
    }

    @Test func aBystandersErrorIsHarmAndSoIsNoQuiet() throws {
        #expect(try !NeighbourTable(lines: [line("quiet", p99: 6000), line("pings", p99: 6000, faults: 1)]).isSound)
        #expect(try !NeighbourTable(lines: [line("pings", p99: 6000)]).isSound)
    }
}
