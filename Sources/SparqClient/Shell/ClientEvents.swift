/// The events of a client, in order. One reader at a time; ends with the client, and where the reader's task is cancelled.
public struct ClientEvents: AsyncSequence, Sendable {
    let client: SparqClient

    /// Takes events in batches, so that most steps need no hop to the client.
    public struct Iterator: AsyncIteratorProtocol {
        let client: SparqClient
        private var batch: ArraySlice<ClientEvent> = []

        init(client: SparqClient) { self.client = client }

        /// The next event; `nil` at the end.
        public mutating func next() async -> ClientEvent? {
            await next(isolation: nil)
        }

        /// The next event; `nil` at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ClientEvent? {
            if batch.isEmpty { batch = await client.takeEvents()[...] }
            return batch.popFirst()
        }
    }

    /// A reader.
    public func makeAsyncIterator() -> Iterator { Iterator(client: client) }
}
