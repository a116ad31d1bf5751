import NIOCore
import SparqWebSocket

extension Socket: ClientSocket {}

extension Connection: SocketSession {
    func opened() {}

    func receivedText(_ text: ByteBuffer) { received(text) }

    func receivedBinary(_ bytes: ByteBuffer) { receivedBinary() }

    func writabilityChanged(_ writable: Bool) {
        guard writable else { return }
        drained()
        endTurn()
    }

    func readCompleted() { endTurn() }

    func closed(_ end: SocketEnd) {
        closed()
        endTurn()
    }
}
