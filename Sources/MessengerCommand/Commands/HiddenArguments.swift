import Foundation

/// Everybody on a machine can read command lines (`ps`). What may be a password in ours is written over as soon as it was read.
///
/// It was there for some milliseconds all the same: the environment and `.env` are for one user alone.
enum HiddenArguments {
    /// What the kernel shows of the arguments from now on. To be called once, after they were read and before there are other threads.
    static func hide() {
        // The process's own memory, where the kernel put its arguments.
        guard let place = place, let start = UnsafeMutableRawPointer(bitPattern: place.lowerBound) else { return }
        let bytes = UnsafeMutableRawBufferPointer(start: start, count: place.count)
        bytes.copyBytes(from: hidden(Array(bytes)))
    }

    /// Arguments, each with a zero behind it: as many bytes, with an `x` for each that may be secret. These are the values of options for
    /// addresses (`--amqp-url`, `--postgres-url`), and what follows `://` where a password may be in it.
    static func hidden(_ arguments: [UInt8]) -> [UInt8] {
        var result = arguments
        var isAddress = false
        for part in arguments.split(separator: 0, omittingEmptySubsequences: false) {
            let text = String(decoding: part, as: UTF8.self)
            let option = text.prefix { $0 != "=" }
            let names = option.hasPrefix("--") && option.hasSuffix("-url")
            var secret = part.count
            if isAddress {
                secret = 0
            } else if names {
                secret = option.utf8.count + 1
            } else if let scheme = part.firstRange(of: "://".utf8), text.contains("@") || text.contains("password") {
                secret = scheme.upperBound - part.startIndex
            }
            isAddress = names && option.count == text.count
            for index in part.indices.dropFirst(secret) { result[index] = UInt8(ascii: "x") }
        }
        return result
    }

    /// Where the arguments are: the 48th and 49th field of `proc(5)`'s `stat`; the second, which may hold blanks, ends with the last parenthesis.
    private static var place: Range<UInt>? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/stat") else { return nil }
        let stat = String(decoding: data, as: UTF8.self)
        guard let name = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: name)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46]), start > 0, start < end else { return nil }
        return start..<end
    }
}
