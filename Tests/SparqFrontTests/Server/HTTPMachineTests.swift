import NIOCore
import NIOHTTP1
import Testing

@testable import SparqFront

@Suite struct HTTPMachineTests {
    private func machine(_ limits: HTTPMachine.Limits = HTTPMachine.Limits()) -> HTTPMachine {
        HTTPMachine(limits: limits, socketPath: "/ws")
    }

    private func head(_ method: HTTPMethod = .GET, _ uri: String = "/", _ headers: HTTPHeaders = [:]) -> HTTPServerRequestPart {
        .head(HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers))
    }

    /// Takes one action at a time as it comes.
    private func actions(_ machine: inout HTTPMachine, _ parts: [HTTPServerRequestPart]) -> [String] {
        var names: [String] = []
        for part in parts {
            machine.received(part)
            while let action = machine.next() { names.append(name(action)) }
        }
        return names
    }

    private func name(_ action: HTTPMachine.Action) -> String {
        switch action {
        case .proceed: "proceed"
        case .answer(let incoming): "answer \(incoming.head.uri) \(incoming.isTooLarge ? "too large" : String(buffer: incoming.body))"
        case .decide: "decide"
        case .refuse(let refusal, _): "refuse \(refusal.status.code)"
        case .restart: "restart"
        case .end: "end"
        case .close: "close"
        }
    }

    @Test func oneRequestIsAnsweredAtATime() {
        var machine = machine()
        #expect(actions(&machine, [head(.POST, "/1"), .body(ByteBuffer(string: "a")), .body(ByteBuffer(string: "b"))]) == [])
        #expect(actions(&machine, [.end(nil), head(.GET, "/2"), .end(nil)]) == ["answer /1 ab"])
        #expect(!machine.wantsInput)
        machine.responding()
        #expect(machine.responded().map(name) == "answer /2 ")
        machine.responding()
        #expect(machine.responded().map(name) == nil)
        #expect(machine.phase == .idle && machine.wantsInput)
    }

    /// What came in one read with an upgrade, a tunnel, or a refusal stays out of the parser, and what comes later too.
    @Test func afterTheLastAnswerNothingReachesTheParser() {
        var tunnel = machine()
        #expect(actions(&tunnel, [head(.CONNECT, "x:1"), .end(nil)]) == ["refuse 405"])
        #expect(tunnel.arrived(bytes: 1) == false)

        var last = machine()
        #expect(actions(&last, [head(.GET, "/", ["Connection": "Upgrade; q=1", "Upgrade": "h2c"]), .end(nil)]) == ["answer / "])
        last.responding()
        #expect(last.isLast && last.responded().map(name) == "end")
        #expect(last.phase == .ending && !last.arrived(bytes: 1))
    }

    /// NIO's parser reads nothing behind a request for an upgrade.
    @Test func aParserThatStoppedIsReplaced() {
        let upgrade = head(.GET, "/", ["Connection": "Upgrade", "Upgrade": "h2c"])
        var machine = machine()
        #expect(actions(&machine, [upgrade, .end(nil)]) == ["answer / "])
        machine.responding()
        #expect(machine.responded().map(name) == "restart")
        #expect(!machine.wantsInput)
        machine.restarted()
        #expect(machine.phase == .idle && machine.wantsInput)
        // One that went on is not.
        #expect(actions(&machine, [upgrade, .end(nil), head(.GET, "/2"), .end(nil)]) == ["answer / "])
        machine.responding()
        #expect(machine.responded().map(name) == "answer /2 ")
    }

    @Test func bytesThatMakeNothingAreCounted() {
        var limits = HTTPMachine.Limits()
        limits.unparsedBytes = 100
        var machine = machine(limits)
        for _ in 0..<5 {
            #expect(machine.arrived(bytes: 100) == true)
            machine.received(head())
            machine.received(.end(nil))
            _ = machine.next()
            machine.responding()
            _ = machine.responded()
        }
        #expect(machine.arrived(bytes: 100) == true)
        #expect(machine.arrived(bytes: 1) == false)
        #expect(machine.next().map(name) == "refuse 431")
    }

    @Test func whatWaitsIsBounded() {
        var limits = HTTPMachine.Limits()
        (limits.waitingRequests, limits.waitingBytes) = (3, 10)
        var many = machine(limits)
        for number in 0..<100 { _ = actions(&many, [head(.GET, "/\(number)"), .end(nil)]) }
        var answered: [String] = []
        many.responding()
        while let action = many.responded() {
            answered.append(name(action))
            many.responding()
        }
        #expect(answered == ["answer /1 ", "answer /2 ", "answer /3 ", "close"])

        var large = machine(limits)
        _ = actions(&large, [head(), .end(nil), head(.POST, "/1"), .body(ByteBuffer(string: "01234567890")), .end(nil)])
        large.responding()
        #expect(large.responded().map(name) == "close")
    }

    @Test func eachPhaseEndsInItsWay() {
        var idle = machine()
        #expect(idle.timedOut().map(name) == "close")
        var body = machine()
        _ = actions(&body, [head(.POST, "/", ["Content-Length": "5"])])
        #expect(body.timedOut().map(name) == "refuse 408")
        var deciding = machine()
        let handshake: HTTPHeaders = [
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        #expect(actions(&deciding, [head(.GET, "/ws", handshake), .end(nil)]) == ["decide"])
        #expect(!deciding.wantsInput)
        #expect(deciding.timedOut().map(name) == "refuse 408")
        var answering = machine()
        _ = actions(&answering, [head(), .end(nil)])
        #expect(answering.timedOut().map(name) == nil)
        answering.responding()
        #expect(answering.timedOut().map(name) == "close")
    }

    @Test func aDrainAnswersWhatIsOnItsWayAndNoMore() {
        var fresh = machine()
        fresh.drain()
        #expect(actions(&fresh, [head(.GET, "/"), .end(nil), head(.GET, "/more"), .end(nil)]) == ["answer / "])
        fresh.responding()
        #expect(fresh.responded().map(name) == "end")
        #expect(fresh.next() == nil)
        var silent = machine()
        silent.drain()
        #expect(silent.phase == .leaving)
        #expect(silent.timedOut().map(name) == "end")
        var busy = machine()
        _ = actions(&busy, [head(.POST, "/", ["Content-Length": "5"])])
        busy.drain()
        #expect(actions(&busy, [.body(ByteBuffer(string: "12345")), .end(nil)]) == ["answer / 12345"])
        busy.responding()
        #expect(busy.responded().map(name) == "end")
    }

    @Test(arguments: [
        ("/a%00b", false), ("/%1f", false), ("/%7F", false), ("/%0d%0aX", false), ("/%c2%80", false), ("http://x/%00", false),
        ("/a%20b", true),
        ("/%c3%a9", true), ("/?token=%00", true), ("/100%", true), ("/%zz", true),
    ])
    func pathsHaveNoControlCharacters(uri: String, isFine: Bool) {
        let kind = RequestKind(HTTPRequestHead(version: .http1_1, method: .GET, uri: uri), socketPath: "/ws")
        #expect(kind == (isFine ? .plain : .refused(.badPath)))
    }

    @Test func datesAreWrittenAsHTTPWantsThem() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
