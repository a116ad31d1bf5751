/// One migration: a file `NNNN_name.sql`.
public struct Migration: Sendable, Hashable {
    /// The number in front, from 1.
    public let version: Int
    /// What stands between the number and `.sql`.
    public let name: String
    /// The file's name.
    public let file: String
    /// The file's text.
    let sql: String
}
