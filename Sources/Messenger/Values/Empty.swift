import Sparq

/// No fields, and no data: `{}`.
struct Empty: Codable, Sendable {}

extension Empty: JSONWritable {
    func write(to writer: inout JSONWriter) { writer.raw("{}") }
}
