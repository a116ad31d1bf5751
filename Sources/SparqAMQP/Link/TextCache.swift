internal import CRabbitMQ
internal import Glibc

/// The last text that was seen in a place. Most messages of a connection share exchange, key and content type, so this saves their copies.
struct TextCache {
    private var last = ""

    mutating func text(_ bytes: amqp_bytes_t) -> String {
        guard bytes.len > 0, let start = bytes.bytes else { return "" }
        let isSame = last.utf8.withContiguousStorageIfAvailable { known in
            guard known.count == bytes.len, let address = known.baseAddress else { return false }
            return memcmp(address, start, bytes.len) == 0
        }
        if isSame == true { return last }
        var fresh = Decoding.text(bytes)
        fresh.makeContiguousUTF8()
        last = fresh
        return fresh
    }
}
