import Logging
import Synchronization

/// Asks the policy, and tells the operator which pages are refused: one line for each origin, as long as there are not too many. Thread-safe.
final class OriginGate: Sendable {
    /// Origins that get a line of their own.
    static let lines = 100

    let policy: OriginPolicy
    private let logger: Logger
    private let refused = Mutex<Set<String>>([])

    init(_ policy: OriginPolicy, logger: Logger) {
        self.policy = policy
        self.logger = logger
    }

    /// Whether a page may talk to the front.
    func allows(_ request: RequestOrigin) -> Bool { tell(request, policy.allows(request)) }

    /// Whether a request that a browser authenticates on its own may change something.
    func allowsChange(_ request: RequestOrigin) -> Bool { tell(request, policy.allowsChange(request)) }

    private func tell(_ request: RequestOrigin, _ isAllowed: Bool) -> Bool {
        guard !isAllowed, let text = request.origin else { return isAllowed }
        // Anybody can send anything here.
        let origin =
            Origin(text)?.description
            ?? String(text.prefix(100).filter { $0.isASCII && ($0.isLetter || $0.isNumber || ":/.-".contains($0)) })
        let count = refused.withLock { refused in
            refused.count <= Self.lines && refused.insert(String(origin.prefix(300))).inserted ? refused.count : nil
        }
        switch count {
        case nil: break
        case .some(...Self.lines):
            logger.warning(
                "A page is refused because of its origin. To let it in, add the origin to SPARQ_ALLOWED_ORIGINS; behind a proxy see OPERATIONS, \"Behind a proxy\"",
                metadata: ["origin": "\(origin)", "own": "\(policy.own(request)?.description ?? "none")"]
            )
        case .some: logger.warning("Pages of further origins are refused; no more of them are told", metadata: ["told": "\(Self.lines)"])
        }
        return false
    }
}
