import NIOCore
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct RequestLimiterTests {
    private let rates = (user: TokenBucket.Rate(perSecond: 1, burst: 2), address: TokenBucket.Rate(perSecond: 2, burst: 1))

    private func address(_ text: String) throws -> RequestLimiter.Key {
        .address(try #require(ClientAddress(try SocketAddress(ipAddress: text, port: 9))))
    }

    @Test func eachUserAndEachAddressHasABucketOfItsOwn() throws {
        let limiter = RequestLimiter(users: rates.user, addresses: rates.address)
        for user in ["alice", "bob"] {
            #expect((0..<3).map { _ in limiter.take(.user(user), now: 0) } == [0, 0, 1_000_000_000])
        }
        for text in ["10.0.0.1", "10.0.0.2", "2001:db8::1"] {
            let key = try address(text)
            #expect((0..<2).map { _ in limiter.take(key, now: 0) } == [0, 500_000_000])
        }
        let (same64Bits, sameIPv4, other) = try (address("2001:db8::ffff"), address("::ffff:10.0.0.1"), address("2001:db8:0:1::1"))
        #expect(limiter.take(same64Bits, now: 0) > 0)
        #expect(limiter.take(sameIPv4, now: 0) > 0)
        #expect(limiter.take(other, now: 0) == 0)
    }

    @Test func memoryIsBoundedAndWhoKeepsAskingIsNotForgotten() {
        let limiter = RequestLimiter(users: rates.user, addresses: rates.address, limit: 100)
        _ = (limiter.take(.user("greedy"), now: 0), limiter.take(.user("greedy"), now: 0))
        for number in 0..<10_000 {
            _ = limiter.take(.user("\(number)"), now: 0)
            if number % 20 == 0 { #expect(limiter.take(.user("greedy"), now: 0) > 0) }
        }
        #expect(limiter.count <= 100)
    }
}
