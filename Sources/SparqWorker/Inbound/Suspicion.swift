import AMQP

/// How often workers may have died over an AMQP message, and what is done with it then. A handler that traps takes its whole process along, and all
/// that this had in hand comes again together with the message that did it.
///
/// Most that come again so often are innocent, so nothing is given up early.
enum Suspicion: Comparable {
    case none
    /// It is worked on while no other of its kind is: the next life of a worker that dies over one has fewer of the others.
    case alone
    /// What its connections sent goes on apart.
    case apart
    /// It goes to the dead letters, before the broker puts it there: so its sender gets an answer, and does not send it again.
    case givenUp

    /// - Parameter message: from a quorum queue, which counts (header `x-delivery-count`).
    init(of message: AMQPMessage) {
        switch message.headers["x-delivery-count"]?.intValue ?? 0 {
        case ..<2: self = .none
        case ..<6: self = .alone
        case ..<16: self = .apart
        default: self = .givenUp
        }
    }

    /// Why a message is given up.
    struct TooManyDeaths: Error, CustomStringConvertible {
        var description: String { "workers died over it too often" }
    }
}
