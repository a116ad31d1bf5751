import CPostgreSQL

/// libpq's parameters of an address, and what libpq adds to them from its environment.
///
/// Secret: may hold the password.
struct ConnectionInfo: Sendable {
    /// What the address says.
    private let given: [String: String]
    /// What libpq takes for what it does not say.
    private let defaults: [String: String]

    init(_ address: String) {
        given = Self.values(of: PQconninfoParse(address, nil))
        // A service's file is libpq's to read; it may name the host.
        defaults = given["service"] == nil ? Self.values(of: PQconndefaults()) : [:]
    }

    /// What the address says of how long an attempt may take (`connect_timeout`; libpq itself does not look at it where it must not block).
    var connectTimeout: Duration? {
        guard let seconds = given["connect_timeout"].flatMap({ Int($0) }), seconds > 0 else { return nil }
        return .seconds(max(2, seconds))
    }

    /// The parameters for one address: ours where the address says nothing, then the address's own, then what is not to be changed.
    func parameters(for address: ServerAddress, defaults: [(String, String)], fixed: [(String, String)]) -> [(String, String)] {
        let places: Set = ["host", "hostaddr", "port"]
        return defaults + given.filter { !places.contains($0.key) }.map { ($0.key, $0.value) } + address.parameters + fixed
    }

    /// The places where the server may be, with libpq's meaning of `target_session_attrs` and `load_balance_hosts`.
    func addresses(resolve: (_ name: String) -> [String]) -> [ServerAddress] {
        var list = ServerAddress.list(host: self["host"], hostaddr: self["hostaddr"], port: self["port"], resolve: resolve)
        if self["load_balance_hosts"] == "random" { list.shuffle() }
        guard self["target_session_attrs"] == "prefer-standby", list.count > 1 else { return list }
        // All are asked for a standby first: libpq would be content with the first server, because it sees one at a time.
        return ["standby", "any"].flatMap { session in
            list.map { address in
                var address = address
                address.session = session
                return address
            }
        }
    }

    private subscript(_ name: String) -> String? { given[name] ?? defaults[name] }

    private static func values(of options: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
        guard let options else { return [:] }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        return values
    }
}
