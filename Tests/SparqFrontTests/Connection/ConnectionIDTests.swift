import Testing

@testable import SparqFrontCore

@Suite struct ConnectionIDTests {
    @Test func textAndBack() {
        for number in [0, 1, 0xABCD, UInt64.max, 0x0123_4567_89AB_CDEF] {
            for (kind, shard) in [(ConnectionID.Kind.socket, 0), (.http, 7), (.socket, 9999)] {
                let id = ConnectionID(kind: kind, shard: shard, number: number)
                #expect(ConnectionID(id.description) == id)
            }
        }
        #expect(ConnectionID(kind: .socket, shard: 3, number: 0xAB).description == "c3-00000000000000ab")
    }

    @Test(arguments: [
        "", "c", "c-", "c1", "c1-", "c1-12", "x1-0000000000000000", "c-0000000000000000", "c1-000000000000000G", "c12345-0000000000000000",
    ])
    func refusesOtherTexts(_ text: String) {
        #expect(ConnectionID(text) == nil)
    }
}
