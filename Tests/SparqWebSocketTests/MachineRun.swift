import NIOCore

@testable import SparqWebSocket

extension WebSocketMachine {
    /// All actions that these bytes give, fed in pieces of `size` bytes.
    mutating func actions(_ bytes: [UInt8], piece size: Int = .max) -> [Action] {
        var actions: [Action] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            self.receive(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            while let action = self.next() { actions.append(action) }
        }
        return actions
    }
}

extension WebSocketMachine.Action {
    var failure: CloseCode? {
        if case .fail(let close, _) = self { close.code } else { nil }
    }
}
