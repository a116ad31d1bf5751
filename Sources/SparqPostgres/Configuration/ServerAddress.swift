/// One place where the server may be: what libpq is to connect to, in one attempt of its own.
struct ServerAddress: Hashable, Sendable {
    /// A name, which TLS and the password file know it by, or the folder of a Unix socket.
    var host: String?
    /// The numeric address, where it is known.
    var hostaddr: String?
    var port: String?
    /// Takes the place of `target_session_attrs`.
    var session: String?

    /// A name of which no address is known.
    var isUnknownName: Bool {
        guard let host, hostaddr == nil else { return false }
        return !host.hasPrefix("/") && !host.hasPrefix("@")
    }

    /// libpq's parameters for it.
    var parameters: [(String, String)] {
        [("host", host), ("hostaddr", hostaddr), ("port", port), ("target_session_attrs", session)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }
}

extension ServerAddress {
    /// Takes libpq's lists apart: each entry, and each numeric address of a name, is a place of its own.
    ///
    /// Lists that do not fit together stay as they are: libpq then says what is wrong. So does a name that nobody knows.
    ///
    /// - Parameter resolve: the numeric addresses of a name; none where it is not known.
    static func list(
        host: String?,
        hostaddr: String?,
        port: String?,
        resolve: (_ name: String) -> [String]
    ) -> [ServerAddress] {
        let (hosts, numbers, ports) = (entries(host), entries(hostaddr), entries(port))
        let count = numbers.isEmpty ? max(1, hosts.count) : numbers.count
        let fits = (numbers.isEmpty || hosts.isEmpty || hosts.count == count) && (ports.count <= 1 || ports.count == count)
        guard fits else { return [ServerAddress(host: host, hostaddr: hostaddr, port: port)] }
        return (0..<count).flatMap { place -> [ServerAddress] in
            let port = ports.count == 1 ? ports[0] : ports.isEmpty ? nil : ports[place]
            let host = hosts.isEmpty ? nil : hosts[place]
            if let number = numbers.isEmpty ? nil : numbers[place] {
                return [ServerAddress(host: host, hostaddr: number, port: port)]
            }
            // A folder, or a socket without one.
            guard let host, !host.hasPrefix("/"), !host.hasPrefix("@") else { return [ServerAddress(host: host, port: port)] }
            let found = resolve(host)
            if found.isEmpty { return [ServerAddress(host: host, port: port)] }
            return found.map { ServerAddress(host: host, hostaddr: $0, port: port) }
        }
    }

    /// An empty entry means libpq's default.
    private static func entries(_ list: String?) -> [String?] {
        guard let list, !list.isEmpty else { return [] }
        return list.split(separator: ",", omittingEmptySubsequences: false).map { $0.isEmpty ? nil : String($0) }
    }
}
