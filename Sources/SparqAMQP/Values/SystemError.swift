internal import Glibc

/// What the system says of an error.
enum SystemError {
    /// Its text and its number, for people.
    static func text(_ number: Int32) -> String { "\(String(cString: strerror(number))) (errno \(number))" }

    /// Whether the process, or the machine, has too little of something: it may be there again later.
    static func isLack(_ number: Int32) -> Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(number) }

    static func error(_ number: Int32, otherwise code: AMQPError.Code, _ what: String, operation: String) -> AMQPError {
        AMQPError(isLack(number) ? .outOfResources : code, "\(what): \(text(number))", operation: operation)
    }
}
