import Glibc

/// Limits of the process that the default is too low for.
enum RaisedLimits {
    /// File descriptors that are not for clients' sockets: the broker's, files, and what libdispatch needs, which ends a process that has none left.
    private static let reserve = 64

    /// A front has a file descriptor per socket: takes as many as the system lets it.
    static func raiseOpenFiles() {
        guard var limit = openFiles, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// How many clients' sockets the process has descriptors for; at least one.
    static var sockets: Int {
        guard let limit = openFiles else { return .max }
        return max(1, Int(clamping: limit.rlim_cur) - reserve)
    }

    private static var openFiles: rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
