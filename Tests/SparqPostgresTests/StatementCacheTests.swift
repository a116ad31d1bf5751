import Testing

@testable import SparqPostgres

@Suite struct StatementCacheTests {
    @Test func theLeastRecentlyUsedMakesRoom() {
        var cache = StatementCache(capacity: 2)
        let keys = (1...3).map { StatementCache.Key(sql: "SELECT \($0)", types: []) }
        let first = cache.insert(keys[0])
        let second = cache.insert(keys[1])
        #expect(cache.name(for: keys[0]) == first)
        _ = cache.insert(keys[2])
        #expect(cache.evicted == [second] && cache.count == 2)
        #expect(cache.name(for: keys[1]) == nil && cache.name(for: keys[0]) == first)
        cache.deallocated(second)
        #expect(cache.evicted.isEmpty)
    }

    @Test func whatWasNeverPreparedIsNotDeallocated() {
        var cache = StatementCache(capacity: 2)
        let key = StatementCache.Key(sql: "SELECT", types: [20])
        _ = cache.insert(key)
        cache.remove(key, isOnServer: false)
        #expect(cache.evicted.isEmpty && cache.count == 0)
        #expect(cache.name(for: .init(sql: "SELECT", types: [25])) == nil)
    }
}
