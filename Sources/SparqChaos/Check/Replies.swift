import Foundation

/// A message and its repeat get one reply, but for the mark of the repeat.
enum Replies {
    /// What is wrong with two answers to one message; `nil` where nothing is.
    static func difference(_ first: [UInt8], _ second: [UInt8]) -> String? {
        guard var one = object(first), var other = object(second) else { return "no JSON: \(text(first)) and \(text(second))" }
        let marks = [one.removeValue(forKey: "repeat"), other.removeValue(forKey: "repeat")].filter { $0 as? Bool == true }.count
        guard sorted(one) == sorted(other) else { return "\(text(first)) and \(text(second))" }
        return marks == 0 ? "neither is marked as a repeat: \(text(first))" : nil
    }

    private static func object(_ bytes: [UInt8]) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    private static func sorted(_ object: [String: Any]) -> Data? {
        try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(160), as: UTF8.self) }
}
