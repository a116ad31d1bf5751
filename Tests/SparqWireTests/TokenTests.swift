import SparqWire
import Testing

@Suite struct TokenTests {
    @Test(arguments: [
        (#"{"ok":true,"data":{"user":"a"}}"#, #"{"ok":true,"data":{"token":"t","user":"a"}}"#),
        (#"{"ok":true,"data":{}}"#, #"{"ok":true,"data":{"token":"t"}}"#),
        (#"{"ok":true,"data":null}"#, #"{"ok":true,"data":{"token":"t"}}"#),
        (#"{"re":"data","ok":true}"#, #"{"data":{"token":"t"},"re":"data","ok":true}"#),
        (
            #"{ "x" : [1, {"data":{}} , "}\""] , "data" : { "a":1 } }"#,
            #"{ "x" : [1, {"data":{}} , "}\""] , "data" : {"token":"t", "a":1 } }"#
        ),
        (#"{}"#, #"{"data":{"token":"t"}}"#),
        (#"[]"#, #"[]"#),
    ])
    func inserts(_ reply: String, _ expected: String) {
        #expect(String(decoding: ReplyBody.inserting(token: "t", into: Array(reply.utf8)), as: UTF8.self) == expected)
    }
}
