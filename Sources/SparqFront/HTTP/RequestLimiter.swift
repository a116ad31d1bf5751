import SparqFrontCore
import SparqWire
import Synchronization

/// A token bucket for each user who posts messages, and for each address that posts without a session. Thread-safe.
final class RequestLimiter: Sendable {
    /// Whose bucket it is.
    enum Key: Hashable, Sendable {
        case user(String)
        case address(ClientAddress)
        /// Requests without an address, such as over a Unix socket.
        case nobody
    }

    /// Two tables of half as many buckets as there may be. The newer one fills; when it is full the older one is forgotten, and with it those
    /// who have not asked for long. Who comes back too early that way gets a full bucket, no more.
    private struct Tables {
        var newer: [Key: TokenBucket] = [:]
        var older: [Key: TokenBucket] = [:]
    }

    private let users: TokenBucket.Rate
    private let addresses: TokenBucket.Rate
    private let half: Int
    private let tables = Mutex(Tables())

    /// - Parameter limit: the most buckets.
    init(users: TokenBucket.Rate, addresses: TokenBucket.Rate, limit: Int = 65_536) {
        self.users = users
        self.addresses = addresses
        half = max(1, limit / 2)
    }

    /// How many buckets there are.
    var count: Int { tables.withLock { $0.newer.count + $0.older.count } }

    /// Fills a bucket.
    func fill(_ key: Key) {
        tables.withLock { tables in
            tables.newer[key] = nil
            tables.older[key] = nil
        }
    }

    /// Takes a token. Returns 0, or the nanoseconds after which there will be one. `now` in nanoseconds of a clock that never goes back.
    func take(_ key: Key, now: Int) -> Int {
        let rate = if case .user = key { users } else { addresses }
        return tables.withLock { tables in
            var bucket = tables.newer[key] ?? tables.older.removeValue(forKey: key) ?? TokenBucket()
            let wait = bucket.take(rate, now: now) ? 0 : bucket.wait(rate, now: now)
            if tables.newer[key] == nil, tables.newer.count >= half {
                tables.older = tables.newer
                tables.newer = [:]
            }
            tables.newer[key] = bucket
            return wait
        }
    }
}

/// Bounds what one user may have without an answer over HTTP, lane by lane. What is answered `unavailable` after its deadline may wait at the broker for a lane
/// whose workers are away: so it counts, as long as nothing is answered, and one more may be tried each second. Thread-safe.
struct UnansweredRequests: Sendable {
    private let map: LaneMap
    private let lanes: [RequestLimiter]

    /// - Parameter limit: Messages of one user and lane; without a session, of one address and lane.
    init(lanes map: LaneMap, limit: Int) {
        self.map = map
        let rate = TokenBucket.Rate(perSecond: 1, burst: limit)
        lanes = map.names.map { _ in RequestLimiter(users: rate, addresses: rate) }
    }

    /// Takes a place for a message. False where there is none. `now` in nanoseconds of a clock that never goes back.
    func take(_ key: RequestLimiter.Key, _ type: String, now: Int) -> Bool { lanes[map.index(for: type)].take(key, now: now) == 0 }

    /// A worker has answered one: its lane is served.
    func answered(_ key: RequestLimiter.Key, _ type: String) { lanes[map.index(for: type)].fill(key) }
}
