/// A type with one PostgreSQL type of its own, and an array type of that.
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {}
