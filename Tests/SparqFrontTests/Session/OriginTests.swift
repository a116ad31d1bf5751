import Foundation
import Logging
import Testing

@testable import SparqFront

/// Which pages may talk to a front.
@Suite struct OriginTests {
    @Test(arguments: [
        ("https://h", "https://h:443"), ("http://h", "http://h:80"), ("HTTPS://Chat.Example", "https://chat.example"),
        ("http://[::1]:80", "http://[::1]"), ("capacitor://localhost", "capacitor://localhost"),
    ])
    func theSameOriginInTwoSpellings(one: String, other: String) {
        #expect(Origin(one) != nil && Origin(one) == Origin(other))
    }

    @Test(arguments: [
        ("http://h", "https://h"), ("https://h", "https://h:80"), ("http://h", "http://h:443"), ("http://h:1", "http://h:2"),
        ("http://a", "http://b"), ("https://h", "https://h.example"), ("http://[::1]", "http://[::2]"), ("http://h", "capacitor://h"),
    ])
    func differentOrigins(one: String, other: String) {
        #expect(Origin(one) != nil && Origin(other) != nil && Origin(one) != Origin(other))
    }

    @Test(arguments: [
        "", "null", "h", "h:80", "://h", "https://", "https://h/", "https://h/x", "https://h?x", "https://h#x", "https://u@h", "https://h:",
        "https://h:x", "https://h:+1", "https://h:65536", "https://h:443:1", "https://*.h", "https://a https://b", "https://[::1",
        "https://ü.h",
        "1http://h", "https://h\u{0}",
    ])
    func whatIsNoOrigin(text: String) {
        #expect(Origin(text) == nil)
    }

    private func policy(_ allowed: String = "", trustsProxy: Bool = false) throws -> OriginPolicy {
        OriginPolicy(allowed: try AllowedOrigins(allowed), trustsProxy: trustsProxy)
    }

    @Test func theFrontsOwnPageMayConnectBySchemeHostAndPort() throws {
        let plain = try policy()
        for (origin, host, allowed) in [
            (nil, "chat.example", true), (nil, nil, true), ("http://Chat.example", "chat.Example", true), ("http://h:80", "h", true),
            ("http://h", "h:80", true), ("http://localhost:8080", "localhost:8080", true), ("http://[::1]:8080", "[::1]:8080", true),
            ("https://h", "h", false), ("http://localhost:9090", "localhost:8080", false), ("http://evil.example", "chat.example", false),
            ("null", "chat.example", false), ("http://h", nil, false), ("h", "h", false),
            ("http://chat.example.evil", "chat.example", false),
        ] as [(String?, String?, Bool)] {
            #expect(plain.allows(RequestOrigin(origin: origin, host: host)) == allowed, "\(origin ?? "none") at \(host ?? "none")")
            // What a client says of a proxy is its own invention.
            #expect(plain.allows(RequestOrigin(origin: origin, host: host, forwardedScheme: "https")) == allowed)
        }
    }

    @Test func aTrustedProxySaysWithWhichSchemeThePageCame() throws {
        let proxied = try policy(trustsProxy: true)
        for (origin, scheme, allowed) in [
            ("https://h", "https", true), ("https://h:443", "HTTPS", true), ("https://h", "wss", true), ("https://h", "http, https", true),
            ("http://h", "https", false), ("https://h", "http", false), ("https://h", "https, http", false), ("http://h", "http", true),
            ("http://h", "ws", true), ("http://h", nil, true), ("https://h", nil, false), ("http://h", "", true),
            ("https://h:8443", "https", false),
        ] as [(String, String?, Bool)] {
            let request = RequestOrigin(origin: origin, host: "h", forwardedScheme: scheme)
            #expect(proxied.allows(request) == allowed, "\(origin) by \(scheme ?? "none")")
        }
        #expect(proxied.allows(RequestOrigin(origin: "https://h:8443", host: "h:8443", forwardedScheme: "https")))
    }

    @Test func namedOriginsMayConnectBesides() throws {
        let named = try policy(" https://Other.example:443 ,http://localhost:3000,")
        for (origin, allowed) in [
            ("https://other.example", true), ("http://other.example", false), ("https://other.example:8443", false),
            ("http://localhost:3000", true), ("http://localhost", false), ("https://sub.other.example", false), ("null", false),
        ] {
            #expect(named.allows(RequestOrigin(origin: origin, host: "chat.example")) == allowed, "\(origin)")
        }
        for origin in ["https://evil.example", "null", "nonsense"] {
            #expect(try policy("*").allows(RequestOrigin(origin: origin, host: "chat.example")))
        }
    }

    @Test func whoMayChangeSomethingWithoutAnOrigin() throws {
        let policy = try policy()
        for (site, allowed) in [("same-origin", true), (nil, true), ("none", true), ("cross-site", false), ("same-site", false)]
            as [(String?, Bool)]
        {
            #expect(policy.allowsChange(RequestOrigin(origin: nil, host: "h", site: site)) == allowed, "\(site ?? "nothing")")
        }
        #expect(!policy.allowsChange(RequestOrigin(origin: "https://evil.example", host: "h", site: "none")))
    }

    @Test(arguments: [
        ("https://chat.example/", "write https://chat.example"), ("https://chat.example/chat?x#y", "write https://chat.example"),
        ("https://user@chat.example", "write https://chat.example"), ("chat.example", "write https://chat.example"),
        ("localhost:3000", "http://localhost:3000"), ("https://*.example", "pattern"), ("*.example", "pattern"),
        ("wss://chat.example", "write the origin of the page, such as https://chat.example"), ("ws://h:1/ws", "http://h:1"),
        ("https://a https://b", "commas"), ("https://a;https://b", "write scheme, host and port"), ("null", "address of its own"),
        ("https://a,https://b:x", "\"https://b:x\""), ("https://", "write scheme, host and port"), ("https://münchen.example", "xn--"),
        ("file:///home", "write scheme, host and port"),
    ])
    func aMalformedSettingIsToldWithWhatToWrite(text: String, sentence: String) {
        #expect {
            try AllowedOrigins(text)
        } throws: { error in
            "\(error)".contains(sentence)
        }
    }

    @Test func aRefusalIsToldOncePerOriginAndNotWithoutEnd() throws {
        let lines = LogLines()
        let gate = OriginGate(try policy("https://good.example"), logger: Logger(label: "test", factory: { _ in lines }))
        func ask(_ origin: String?) -> Bool { gate.allows(RequestOrigin(origin: origin, host: "chat.example")) }
        for _ in 0..<3 {
            for origin in ["https://evil.example", "HTTPS://Evil.example:443"] { #expect(!ask(origin)) }
            for origin in ["https://good.example", "http://chat.example", nil] { #expect(ask(origin)) }
        }
        #expect(!gate.allowsChange(RequestOrigin(origin: "https://evil.example", host: "chat.example")))
        #expect(lines.taken.count == 1)
        #expect(lines.taken[0].contains("SPARQ_ALLOWED_ORIGINS") && lines.taken[0].contains("origin=https://evil.example"))
        #expect(lines.taken[0].contains("own=http://chat.example"))
        #expect(!ask("x\u{1B}[31m" + String(repeating: "y", count: 5_000)))
        #expect(lines.taken.count == 2 && lines.taken[1].utf8.count < 600 && !lines.taken[1].contains("\u{1B}"))
        for number in 0..<1_000 { #expect(!ask("https://evil\(number).example")) }
        #expect(lines.taken.count == OriginGate.lines + 1 && lines.taken.last?.contains("further") == true)
    }
}
