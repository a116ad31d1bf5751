import AMQP

/// How often workers may have died over an AMQP message, and what is done with it then. A handler that traps takes its whole process along, and all
/// that this had in hand comes again together with the message that did it.
///
/// Most that come again so often are innocent, so nothing is given up early.
enum Suspicion: Comparable {
    case none
    /// It is worked on while no other of its kind is: the next life of a worker that dies over one has fewer of the others.
    case alone
    /// What each connection sent goes on apart, and of that one message after the other.
    case apart
    /// Its first message goes to the dead letters, before the broker puts all of it there: so its sender gets an answer, and does not send it again.
    case givenUp

    /// AMQP header of how often workers died over the message that this one was a part of.
    static let deathsHeader = "sparq-deaths"
    /// From so many deaths on; what is taken apart begins with them.
    static let apartFrom = 6
    private static let (aloneFrom, givenUpFrom) = (2, 16)

    init(deaths: Int) {
        switch deaths {
        case ..<Self.aloneFrom: self = .none
        case ..<Self.apartFrom: self = .alone
        case ..<Self.givenUpFrom: self = .apart
        default: self = .givenUp
        }
    }

    /// - Parameter message: from a quorum queue, which counts (header `x-delivery-count`).
    init(of message: AMQPMessage) {
        self.init(deaths: ["x-delivery-count", Self.deathsHeader].reduce(0) { $0 + (message.headers[$1]?.intValue ?? 0) })
    }

    /// Why a message is given up.
    struct TooManyDeaths: Error, CustomStringConvertible {
        var description: String { "workers died over it too often" }
    }
}
