/// A sum over a node's topics that the node and the database compute alike: FNV-1a of each name, 32 bits, added up.
package enum TopicChecksum {
    /// The part of one topic: 0 to 2^32 - 1. The whole is the plain sum of the parts.
    @inlinable package static func part(_ topic: String) -> Int {
        var hash: UInt32 = 2_166_136_261
        for byte in topic.utf8 {
            hash ^= UInt32(byte)
            hash = hash &* 16_777_619
        }
        return Int(hash)
    }

    /// Into so many buckets a node's topics fall, so that a difference can be mended without a look at all of them.
    @inlinable package static var buckets: Int { 256 }

    /// The bucket of a topic, from its part.
    @inlinable package static func bucket(ofPart part: Int) -> Int { part % buckets }
}
