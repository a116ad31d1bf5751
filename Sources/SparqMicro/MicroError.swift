/// An operation that does not do what it is measured for.
struct MicroError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
