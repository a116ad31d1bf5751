import FoundationEssentials

/// The one client message of which the front reads more than `type` and `id`: it knows how many topics a connection has.
enum SubscribeFrame {
    static let type = "subscribe"

    /// The names of the topics; `nil` where the message is not as it should be, which a worker will say.
    static func topics(_ message: [UInt8]) -> [String]? {
        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        struct Names: Decodable {
            var names: [String]
            init(from decoder: any Decoder) throws {
                names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
            }
        }
        struct Message: Decodable { var topics: Names }
        return try? JSONDecoder().decode(Message.self, from: Data(message)).topics.names
    }
}
