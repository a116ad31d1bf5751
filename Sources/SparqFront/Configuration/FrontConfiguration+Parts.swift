import SparqAMQP
import HTTPTypes
import NIOCore
import NIOHTTP1
import SparqFrontCore

extension FrontConfiguration {
    /// Throws ``FrontError`` where a setting makes no sense, and names it.
    func validate() throws(FrontError) {
        if let node {
            let isName = node.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard (1...64).contains(node.utf8.count), isName else {
                throw FrontError(.invalidSetting, "node: 1 to 64 letters, digits, - and _")
            }
        }
        guard (0...65535).contains(port) else { throw FrontError(.invalidSetting, "port: 0 to 65535") }
        guard sessionSecret.utf8.count >= 32 else { throw FrontError(.invalidSetting, "sessionSecret: 32 bytes at least") }
        let numbers = [
            ("messageBytes", messageBytes), ("topicsPerConnection", topicsPerConnection), ("outboundBytes", outboundBytes),
            ("inFlight", inFlight), ("messagesPerSecond", messagesPerSecond), ("burst", burst), ("maxConnections", maxConnections),
            ("batchMessages", batchMessages), ("batchBytes", batchBytes), ("unconfirmedBatches", unconfirmedBatches),
            ("waitingBytes", waitingBytes),
            ("requestsPerSecond", requestsPerSecond), ("requestBurst", requestBurst), ("prefetch", Int(prefetch)),
            ("queueBytes", queueBytes),
            ("holdEvents", holdEvents), ("holdBytes", holdBytes), ("ringEvents", ringEvents),
        ]
        for (name, value) in numbers where value < 1 { throw FrontError(.invalidSetting, "\(name): 1 at least") }
        let times = [
            ("sessionLifetime", sessionLifetime), ("pingInterval", pingInterval), ("pongTimeout", pongTimeout),
            ("handshakeTimeout", handshakeTimeout), ("replyDeadline", replyDeadline), ("lease", lease),
        ]
        for (name, value) in times where value <= .zero { throw FrontError(.invalidSetting, "\(name): more than no time") }
        if let forwardedHeader, HTTPField.Name(forwardedHeader) == nil {
            throw FrontError(.invalidSetting, "forwardedHeader: a header's name")
        }
        guard !contentSecurityPolicy.isEmpty, contentSecurityPolicy.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw FrontError(.invalidSetting, "contentSecurityPolicy: one line of ASCII")
        }
        guard gapPatience >= .zero, drainWindow >= .zero else {
            throw FrontError(.invalidSetting, "gapPatience and drainWindow: no less than no time")
        }
    }

    func connectionSettings(node: String) -> ConnectionSettings {
        var settings = ConnectionSettings(node: node)
        settings.heartbeatMilliseconds = pingInterval.nanoseconds / 1_000_000
        settings.lanes = lanes
        settings.messageBytes = messageBytes
        settings.topics = topicsPerConnection
        settings.inFlight = inFlight
        settings.messagesPerSecond = messagesPerSecond
        settings.burst = burst
        settings.outboundBytes = outboundBytes
        settings.replyDeadline = replyDeadline.nanoseconds
        settings.stuckPatience = 5 * settings.replyDeadline
        settings.recallWindow = drainWindow.nanoseconds
        settings.sweepInterval = min(max(settings.replyDeadline / 20, 10_000_000), 500_000_000)
        if drainWindow < .seconds(5) { settings.sweepInterval = min(settings.sweepInterval, 50_000_000) }
        return settings
    }

    var nodeSettings: NodeSettings {
        var settings = NodeSettings()
        settings.hold = HoldLimits(events: holdEvents, bytes: holdBytes)
        settings.ring.events = ringEvents
        settings.timing.patience = gapPatience.nanoseconds
        return settings
    }

    var forwarderSettings: ForwarderSettings {
        ForwarderSettings(
            lanes: lanes,
            unconfirmed: unconfirmedBatches,
            batch: BatchLimits(messages: batchMessages, bytes: batchBytes),
            waitingBytes: waitingBytes
        )
    }

    var serverConfiguration: FrontServerConfiguration {
        var server = FrontServerConfiguration()
        server.host = host
        server.port = port
        server.handshakeTimeout = .nanoseconds(Int64(handshakeTimeout.nanoseconds))
        server.maxBodySize = messageBytes
        // As long as a slow client may take for the largest message.
        server.bodyTimeout = server.bodyTimeout + .milliseconds(Int64(messageBytes / 64))
        server.maxConnections = maxConnections
        server.refusalHeaders = ["X-Content-Type-Options": "nosniff", "Content-Security-Policy": contentSecurityPolicy, "Vary": "Origin"]
        server.shutdownTimeout = replyDeadline
        server.socket.maxMessageSize = messageBytes
        server.socket.pingInterval = .nanoseconds(Int64(pingInterval.nanoseconds))
        server.socket.pongTimeout = .nanoseconds(Int64(pongTimeout.nanoseconds))
        return server
    }
}

extension Duration {
    /// In whole nanoseconds; what is beyond 64 bits is cut.
    var nanoseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflow) = Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + Int(attoseconds / 1_000_000_000)
    }
}
