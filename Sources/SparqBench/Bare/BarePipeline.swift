import SparqAMQP
import DequeModule
import Glibc

/// The pipeline's four connections on one thread.
final class BarePipeline {
    private let source: BareLink
    private let taker: BareLink
    private let forwarder: BareLink
    private let sink: BareLink
    private let inbound, delivery: [UInt8]
    private let key = Array("default".utf8)
    private let node = Array("node".utf8)
    private var sentAt: Deque<Int> = []
    private var confirms = Confirms()
    private var arrivals = ArrivalOrder()
    private var published: UInt64 = 0
    /// Tags of deliveries whose forward is not confirmed, in order; the forward's own number is its place.
    private var forwards: Deque<(tag: UInt64, isConfirmed: Bool)> = []
    private var firstForward: UInt64 = 1
    /// Begins with the message's number, 8 bytes.
    private var body: [UInt8]

    init(_ broker: AMQPConfiguration, _ inbound: String, _ delivery: String, _ work: String, _ node: String, body: [UInt8]) throws {
        self.body = body
        source = try BareLink(broker)
        taker = try BareLink(broker)
        forwarder = try BareLink(broker)
        sink = try BareLink(broker)
        self.inbound = Array(inbound.utf8)
        self.delivery = Array(delivery.utf8)
        try source.selectConfirms()
        try forwarder.selectConfirms()
        try taker.consume(work, prefetch: 512)
        try sink.consume(node, prefetch: 512)
    }

    /// Fills the window, and does what there is to do; waits where there is nothing.
    func turn(window: Int, _ arrived: (_ sentAt: Int) -> Void) throws {
        if sentAt.count < window {
            source.cork(true)
            while sentAt.count < window {
                sentAt.append(nanoseconds())
                try publish(published, by: source, to: inbound, key: key)
                published += 1
                confirms.published()
            }
            source.cork(false)
        }
        if try !work(arrived) { waitForInput() }
    }

    private func publish(_ number: UInt64, by link: BareLink, to exchange: [UInt8], key: [UInt8]) throws {
        body.withUnsafeMutableBytes { $0.storeBytes(of: number, as: UInt64.self) }
        try exchange.withUnsafeBytes { exchange in try key.withUnsafeBytes { try link.publish(body, exchange: exchange, key: $0) } }
    }

    /// Waits until the broker says something on one of the connections, a tenth of a second at most.
    private func waitForInput() {
        var entries = [source, taker, forwarder, sink].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        poll(&entries, 4, 100)
    }

    /// Waits until all that was sent has arrived and is confirmed; returns what is wrong.
    func drain() throws -> BenchResult.Faults {
        let end = nanoseconds() + 5_000_000_000
        while !sentAt.isEmpty || confirms.open > 0, nanoseconds() < end {
            if try !work({ _ in }) { waitForInput() }
        }
        var faults = arrivals.faults
        faults.lost = max(sentAt.count, confirms.open)
        return faults
    }

    private func work(_ arrived: (_ sentAt: Int) -> Void) throws -> Bool {
        var isBusy = false
        while let event = try source.next() {
            guard case .confirm(let tag, let multiple) = event else { continue }
            confirms.confirmed(tag, multiple: multiple)
            isBusy = true
        }
        var taken: [(tag: UInt64, number: UInt64)] = []
        while let event = try taker.next() { if case .delivery(let tag, let number) = event { taken.append((tag, number)) } }
        if !taken.isEmpty {
            isBusy = true
            forwarder.cork(true)
            for (tag, number) in taken {
                forwards.append((tag, false))
                try publish(number, by: forwarder, to: delivery, key: node)
            }
            forwarder.cork(false)
        }
        while let event = try forwarder.next() {
            guard case .confirm(let tag, let multiple) = event else { continue }
            isBusy = true
            let last = Int(tag - firstForward)
            for index in (multiple ? 0 : last)...last { forwards[index].isConfirmed = true }
        }
        var acked: UInt64?
        while let first = forwards.first, first.isConfirmed {
            acked = first.tag
            forwards.removeFirst()
            firstForward += 1
        }
        if let acked { try taker.ack(acked, multiple: true) }
        var last: UInt64?
        while let event = try sink.next() {
            guard case .delivery(let tag, let number) = event else { continue }
            last = tag
            for _ in 0..<arrivals.arrived(number, of: published) { if let sent = sentAt.popFirst() { arrived(sent) } }
        }
        if let last {
            isBusy = true
            try sink.ack(last, multiple: true)
        }
        return isBusy
    }
}
