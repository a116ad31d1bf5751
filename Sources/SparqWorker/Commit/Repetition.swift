import Postgres
import SparqProtocol

/// What becomes of a message that took effect before: the one way for those of effects and for those with a transaction of their own.
struct Repetition: Sendable {
    let router: Router
    let pool: PostgresPool
    let retry: DatabaseRetry

    /// The message as it is to be delivered. Throws what a topic's policy throws, but for refusals.
    ///
    /// - Parameter unit: What its handler wants by now, where it has run again.
    func unit(of unit: Unit, known: Repeats.Known) async throws -> Unit {
        // A connection that began as it should.
        if unit.isSeal { return Unit(envelope: unit.envelope) }
        var again = known.unit(of: unit.envelope)
        if !again.subscriptions.isEmpty { again.subscriptions = try await allowed(again.subscriptions, unit) }
        return again
    }

    /// Those that the user may still have: time has passed since the handler allowed them. What it has just allowed anew needs no policy.
    private func allowed(_ subscriptions: [Unit.Subscription], _ unit: Unit) async throws -> [Unit.Subscription] {
        let context = Context(unit.envelope, attempt: 1, database: pool)
        var allowed: [Unit.Subscription] = []
        for each in subscriptions {
            let isWanted = unit.subscriptions.contains { $0.topic == each.topic }
            if !isWanted, try await retry({ try await router.refusal(of: Topic(rawValue: each.topic), context: context) }) != nil {
                continue
            }
            allowed.append(each)
        }
        return allowed
    }
}
