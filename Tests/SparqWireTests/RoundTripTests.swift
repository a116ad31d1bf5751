import Foundation
import SparqWire
import Testing

/// Whatever one side of the wire can say, the other side hears as it was meant.
@Suite struct RoundTripTests {
    @Test(arguments: Word.all)
    func aValueComesBackAsItWas(word: Word) throws {
        for seed in 0..<200 as Range<UInt64> {
            var values = Values(seed: seed)
            let trip = try word.trip(&values)
            #expect(trip.cameBack, "seed \(seed): \(String(decoding: trip.text, as: UTF8.self))")
            _ = try JSONSerialization.jsonObject(with: Data(trip.text))
        }
    }

    @Test(arguments: Word.all)
    func aTextThatEndsTooEarlyIsAnError(word: Word) throws {
        for seed in 0..<6 as Range<UInt64> {
            var values = Values(seed: seed)
            let text = try word.trip(&values).text
            for count in 0..<text.count {
                do {
                    try word.read(text[..<count])
                    Issue.record("seed \(seed): \(String(decoding: text[..<count], as: UTF8.self))")
                } catch {
                    check(error)
                }
            }
        }
    }

    /// Damage may leave another text that is right; it never ends the process.
    @Test(arguments: Word.all)
    func aDamagedTextIsAnErrorOrAnotherValue(word: Word) throws {
        let alphabet = Array(#"{}[]",:\019.eE+-tfnul u$"#.utf8) + [0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF]
        for seed in 0..<300 as Range<UInt64> {
            var values = Values(seed: seed)
            var text = try word.trip(&values).text
            for _ in 0...values.below(3) where !text.isEmpty {
                let (place, byte) = (values.below(text.count), alphabet[values.below(alphabet.count)])
                switch values.below(3) {
                case 0: text[place] = byte
                case 1: text.remove(at: place)
                default: text.insert(byte, at: place)
                }
            }
            do { try word.read(text[...]) } catch { check(error) }
        }
    }

    /// Values of one word as the text of all others: it is refused, or read as far as it goes.
    @Test(arguments: Word.all)
    func otherWordsEndNothing(word: Word) throws {
        for other in Word.all {
            for seed in 0..<10 as Range<UInt64> {
                var values = Values(seed: seed)
                let text = try other.trip(&values).text
                do { try word.read(text[...]) } catch { check(error) }
            }
        }
    }

    /// Errors are those of the wire, or Foundation's of decoding.
    private func check(_ error: any Error) {
        if error is JSONError || error is FrameError || error is DecodingError { return }
        Issue.record(error)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aTimeComesBackAsItWas(seed: UInt64) {
        var values = Values(seed: seed)
        for _ in 0..<100 {
            let time = values.below(253_402_300_800_000)
            let text = EventBody.timestamp(milliseconds: time)
            #expect(EventBody.milliseconds(ofTimestamp: text) == time)
            var damaged = Array(text)
            damaged[values.below(damaged.count)] = UInt8(values.below(256))
            let read = EventBody.milliseconds(ofTimestamp: damaged[...])
            #expect(read.map { EventBody.timestamp(milliseconds: $0) } ?? damaged[...] == damaged[...])
            #expect(EventBody.milliseconds(ofTimestamp: text.dropLast()) == nil)
        }
    }

    /// The texts that are made straight from their parts, for speed.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func thereIsOneTextForOneValue(seed: UInt64) {
        func text(_ encode: (inout JSONWriter) -> Void) -> ArraySlice<UInt8> {
            var writer = JSONWriter()
            encode(&writer)
            return writer.bytes[...]
        }
        var values = Values(seed: seed)
        let (id, type, topic, seq) = (values.maybe { $0.text() }, values.text(), values.text(), values.integer())
        let (at, data, error) = ("2026-01-31T12:00:00.000Z", values.json(), values.error())
        let time = Array(at.utf8)[...]

        let event = EventBody(type: type, topic: topic, seq: seq, at: at, data: data)
        #expect(EventBody.durable(type: type, topic: topic, seq: seq, at: time, data: data) == text(event.encode))
        var omitted = event
        (omitted.data, omitted.omitted) = (Array("null".utf8)[...], .tooDeep)
        #expect(EventBody.omitted(type: type, topic: topic, seq: seq, at: time, .tooDeep) == text(omitted.encode))
        let passing = EventBody(type: type, topic: id, seq: nil, at: nil, data: data)
        #expect(EventBody.ephemeral(type: type, topic: id, data: data) == text(passing.encode))

        let success = ReplyBody(re: id, .success(data: data))
        let failure = ReplyBody(re: id, .failure(error))
        #expect(ReplyBody.success(id: id, data: data) == text(success.encode))
        #expect(ReplyBody.error(id: id, error) == text(failure.encode))
        for mismatch in [true, false] {
            let again = ReplyBody(re: id, .success(data: data), isRepeat: true, isMismatch: mismatch)
            #expect(ReplyBody.repeated(text(success.encode), mismatch: mismatch) == text(again.encode))
        }

        let subscribed = values.subscribed()
        let grants = subscribed.entries.map { Grant(topic: $0.topic, cursor: $0.cursor, head: 0) }
        #expect(SubscribedFrame.text(grants, isOffer: subscribed.isOffer) == text(subscribed.encode))

        let answers = values.answers()
        var writer = SubscribeReply.Writer(topics: answers.entries.count)
        for entry in answers.entries { writer.add(entry.topic, entry.answer) }
        let written = writer.finish()
        #expect(written == text(answers.encode))

        let refused = ["x\"", "y"]
        let more = SubscribeReply(refused.map { .init(topic: $0, answer: .refused(error)) } + answers.entries)
        #expect(
            SubscribeReply.adding(refused, error, to: ReplyBody.success(id: nil, data: written))
                == ReplyBody.success(id: nil, data: text(more.encode))
        )
    }
}
