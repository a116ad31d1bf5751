import DequeModule

/// Publishes that wait for the broker's confirm. Their tags count from 1.
struct Confirms {
    private var first: UInt64 = 1
    private var isConfirmed: Deque<Bool> = []
    /// Without a confirm.
    private(set) var open = 0

    mutating func published() {
        isConfirmed.append(false)
        open += 1
    }

    mutating func confirmed(_ tag: UInt64, multiple: Bool) {
        guard tag >= first, tag - first < isConfirmed.count else { return }
        let last = Int(tag - first)
        for index in (multiple ? 0 : last)...last where !isConfirmed[index] {
            isConfirmed[index] = true
            open -= 1
        }
        while isConfirmed.first == true {
            isConfirmed.removeFirst()
            first += 1
        }
    }
}
