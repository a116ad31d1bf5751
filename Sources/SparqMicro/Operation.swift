/// One hot step of a message's way.
struct Operation: Sendable {
    /// Its name on the command line.
    let name: String
    /// What is done once, in a few words.
    let what: String
    /// The most allocations of one; beyond it something has crept in. Where nothing is inlined, in a debug build, some make more.
    let ceiling: Double
    /// Does it so many times.
    let run: @Sendable (_ times: Int) throws -> Void

    init(_ name: String, _ what: String, ceiling: Double, debug: Double? = nil, run: @escaping @Sendable (_ times: Int) throws -> Void) {
        self.name = name
        self.what = what
        #if DEBUG
            self.ceiling = debug ?? ceiling
        #else
            self.ceiling = ceiling
        #endif
        self.run = run
    }

    /// All of them.
    static var all: [Operation] { scanning + codecs + frames + sequencing }
}

/// Keeps a result from being optimized away.
@inline(never)
func use<Value>(_ value: borrowing Value) {}
