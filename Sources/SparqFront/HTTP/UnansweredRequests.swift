import SparqFrontCore
import SparqWire

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
