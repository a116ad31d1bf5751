import SparqProtocol
import Testing

@Suite struct NamesTests {
    @Test func thePoolMapTakesTheFirstMatch() throws {
        let map = try PoolMap("media=media.*, auth=auth.login,rest=media.x")
        #expect(map.pools == ["default", "node", "media", "auth", "rest"])
        #expect(map.pool(for: "media.upload") == "media")
        #expect(map.pool(for: "media.x") == "media")
        #expect(map.pool(for: "auth.login") == "auth")
        #expect(map.pool(for: "auth.logins") == "default")
        #expect(map.pool(for: "media") == "default")
        #expect(try PoolMap("").pools == ["default", "node"])
    }

    @Test func whatNodesSendHasAPoolOfItsOwn() throws {
        let map = try PoolMap("mine=$*")
        for type in ["$lease", "$sync", "$leave", "$read"] { #expect(map.pool(for: type) == "node") }
        #expect(map.pool(for: "$connect") == "mine")
        #expect(try PoolMap("").pool(for: "$disconnect") == "default")
        #expect { try PoolMap("a=b,node=c") } throws: { "\($0)".contains("for what fronts send by themselves") }
    }

    @Test(arguments: ["media", "=x", "media=", "a=b*c", "a=*x"])
    func aMalformedPoolMapIsNamed(setting: String) {
        #expect(throws: PoolMap.SyntaxError.self) { try PoolMap(setting) }
    }

    @Test func topicsHaveAKindAndAnId() {
        #expect(Topic.room("a:b").kind == "room")
        #expect(Topic.room("a:b").id == "a:b")
        #expect(Topic.everyone.kind == "everyone")
        #expect(Topic.everyone.id == "")
        #expect(!Topic(rawValue: "").isValid)
        #expect(!Topic(rawValue: "a\nb").isValid)
        #expect(!Topic(rawValue: String(repeating: "x", count: 257)).isValid)
        #expect(Topic.user("ü").isValid)
    }

    @Test func namesFollowTheDesign() {
        let names = BrokerNames()
        #expect(names.work(pool: "media") == "sparq.work.media")
        #expect(names.node("f1") == "sparq.node.f1")
        #expect(BrokerNames(prefix: "t1").inbound == "t1.inbound")
    }

    /// FNV-1a's published test values.
    @Test func theTopicChecksumIsFNV1a() {
        #expect(TopicChecksum.part("") == 0x811c_9dc5)
        #expect(TopicChecksum.part("a") == 0xe40c_292c)
        #expect(TopicChecksum.part("foobar") == 0xbf9c_f968)
    }
}
