import Foundation
import SparqTesting
import Testing

/// A reply's data as a dictionary.
func object(_ json: String?) throws -> [String: Any] {
    let text = try #require(json)
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// The events of a history's reply: their numbers and texts.
func events(_ outcome: Outcome) throws -> [(seq: Int, text: String?)] {
    let events = try #require(try object(outcome.reply)["events"] as? [[String: Any]])
    return try events.map { event in
        (try #require(event["seq"] as? Int), (event["data"] as? [String: Any])?["text"] as? String)
    }
}

extension AppendedEvent {
    /// The data's fields, whatever their order in the text.
    var fields: [String: String] { (try? JSONDecoder().decode([String: String].self, from: Data(data.utf8))) ?? [:] }
}
