public import SparqAMQP

extension DeadLetters {
    /// What became of the letters that were meant.
    public struct Outcome: Sendable, Equatable {
        /// Retried or dropped. The broker has confirmed that they lie in the queue no more.
        public var settled: [DeadLetter] = []
        /// Still in the queue, and why.
        public var kept: [(letter: DeadLetter, obstacle: String)] = []
        /// To be removed when the broker was lost, so nobody knows: they may lie in the queue still. Copies of retried ones are with the workers.
        public var unconfirmed: [DeadLetter] = []
        /// What broke it off. Letters that are named nowhere had no turn yet, and are in the queue.
        public var failure: AMQPError?

        /// Compares all parts.
        public static func == (left: Outcome, right: Outcome) -> Bool {
            left.settled == right.settled && left.kept.elementsEqual(right.kept) { $0 == $1 }
                && left.unconfirmed == right.unconfirmed && left.failure == right.failure
        }
    }
}
