import SparqPostgres
import SparqStore
import SparqWire

/// What is to be looked up for a batch: one statement for each kind, whatever the batch's size.
struct DirectoryQuestion: Equatable, Sendable {
    private(set) var topics: [String]
    private(set) var heads: [String]
    private(set) var allNodes = false

    init(_ outcomes: [MessageOutcome]) {
        var topics: Set<String> = []
        var heads: Set<String> = []
        for outcome in outcomes {
            let rest: MessageRest
            switch outcome {
            case .handled(let handled):
                for event in handled.appends { topics.insert(event.topic) }
                rest = handled.rest
            case .settled(.committed(let committed)):
                for event in committed.events { topics.insert(event.topic) }
                rest = committed.rest
            // A repeat waits for its policies, and asks then.
            case .repeated, .settled(.postponed): continue
            }
            for event in rest.ephemerals { topics.insert(event.topic) }
            if !rest.remote.isEmpty { allNodes = true }
            for subscription in rest.subscriptions { heads.insert(subscription.topic) }
        }
        self.topics = Array(topics)
        self.heads = Array(heads)
    }

    /// Only the nodes of these topics.
    init(topics: [String]) {
        self.topics = topics
        heads = []
    }

    var statements: [Statement] {
        var statements: [Statement] = []
        if !topics.isEmpty { statements.append(DirectoryStore.nodes(ofTopics: topics)) }
        if !heads.isEmpty { statements.append(DirectoryStore.heads(ofTopics: heads)) }
        if allNodes { statements.append(DirectoryStore.allNodes) }
        return statements
    }

    /// Reads the statements' results, in their order.
    func read(_ results: ArraySlice<Result<PostgresResult, PostgresError>>, into view: inout DirectoryView) throws {
        var results = results
        func next() throws -> PostgresResult? { try results.popFirst()?.get() }
        if !topics.isEmpty, let rows = try next() {
            for row in rows {
                let (index, node) = try DirectoryStore.node(row)
                view.nodes[topics[index - 1], default: []].append(node)
            }
        }
        if !heads.isEmpty, let rows = try next() {
            for row in rows {
                let (topic, seq) = try DirectoryStore.head(row)
                view.heads[topic] = seq
            }
        }
        if allNodes, let rows = try next() { view.allNodes = try rows.map { try DirectoryStore.name($0) } }
    }
}

/// What a batch needs to know for its delivery, as it was after its commit.
struct DirectoryView: Equatable, Sendable {
    /// The nodes that have subscribers, by topic.
    var nodes: [String: [String]] = [:]
    /// The last numbers of topics; without events there is none.
    var heads: [String: Int] = [:]
    /// All nodes that are alive, or may be.
    var allNodes: [String] = []
}
