import SparqClient
import Testing

/// The chat page where much was said, and much is being said.
@Suite(.timeLimit(.minutes(5))) struct LongLogTests {
    /// What the page did, as it says so itself: the most rows, drawings and frames since the last time.
    private static let watch = """
        window.most = 0; window.drawings = 0; window.frames = 0;
        const rows = () => document.querySelectorAll("#messages [data-seq]");
        new MutationObserver(() => { drawings += 1; most = Math.max(most, rows().length); })
            .observe(document.querySelector("#messages"), { childList: true });
        const frame = () => { frames += 1; requestAnimationFrame(frame); };
        frame();
        window.seqs = () => [...rows()].map((row) => Number(row.dataset.seq));
        window.seen = () => {
            const top = document.querySelector("#scroll").getBoundingClientRect().top;
            const row = [...rows()].find((each) => each.getBoundingClientRect().bottom > top);
            return [row.dataset.seq, row.getBoundingClientRect().top - top];
        };
        window.moved = ([seq, before]) => {
            const row = document.querySelector(`#messages [data-seq="${seq}"]`);
            return Math.abs(row.getBoundingClientRect().top - document.querySelector("#scroll").getBoundingClientRect().top - before);
        };
        """

    private func number(_ browser: Browser, _ expression: String) async throws -> Int {
        Int(try await browser.evaluate("return String(\(expression))")) ?? -1
    }

    /// Shows earlier messages until the first one is no later than that.
    private func goUp(_ browser: Browser, to seq: Int) async throws {
        _ = try await browser.evaluate(
            """
            const step = () => {
                const button = document.querySelector("#earlier");
                if (seqs()[0] <= \(seq) || button.hidden) return;
                if (!button.disabled) button.click();
                setTimeout(step, 5);
            };
            step();
            """
        )
        try await eventually("the page shows \(seq)", within: .seconds(90)) { try await number(browser, "seqs()[0]") <= seq }
    }

    @Test func aPageOfTenThousandMessagesIsBoundedAndAllOfThemCanBeReached() async throws {
        let settings = ["SPARQ_RATE": "100000", "SPARQ_BURST": "100000"]
        try await Stack.with(fronts: 1, workers: 1, front: settings) { stack, fronts in
            _ = try await stack.sql(
                """
                INSERT INTO events (topic, seq, at, type, data)
                SELECT 'everyone', n, now() - (10000 - n) * interval '1 second', 'message', '{"from":"ann","text":"m' || n || '"}'
                FROM generate_series(1, 10000) n;
                INSERT INTO topics (topic, seq) VALUES ('everyone', 10000) ON CONFLICT (topic) DO UPDATE SET seq = 10000
                """
            )
            let bob = try await Person("bob", registeredAt: fronts[0], fronts: fronts)
            try await WebDriver.with { driver in
                let ann = try await driver.openBrowser()
                try await ann.register("ann", at: fronts[0])
                try await ann.awaitText("m10000", from: "ann")
                _ = try await ann.evaluate(Self.watch)

                // A burst: drawn by the frame, not by the event.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...1_000 { group.addTask { try await bob.send("sendMessage", ["text": "burst \(number)"]) } }
                    try await group.waitForAll()
                }
                try await eventually("all of it is here") { try await number(ann, "seqs().at(-1)") == 11_000 }
                let (drawings, frames) = (try await number(ann, "drawings"), try await number(ann, "frames"))
                #expect(drawings >= 1 && drawings <= frames, "\(drawings) drawings in \(frames) frames")
                #expect(try await number(ann, "seqs().length") == 300)

                // Whoever reads above stays there, whatever comes.
                let place = try await ann.evaluate("document.querySelector('#scroll').scrollTop = 900; return JSON.stringify(seen())")
                try await bob.send("sendMessage", ["text": "not to be seen yet"])
                try await eventually("there is more below") { try await ann.evaluate("return String(newer.hidden)") == "false" }
                #expect(try await ann.evaluate("return JSON.stringify(seen())") == place)
                #expect(try await number(ann, "seqs().at(-1)") == 11_000)

                // Past what the page keeps: from the log, and what is read stays where it is.
                try await goUp(ann, to: 8_900)
                _ = try await ann.evaluate("document.querySelector('#scroll').scrollTop = 0; window.before = seen(); earlier.click()")
                try await eventually("an earlier page is shown") { try await number(ann, "seqs()[0]") < 8_900 - 49 }
                #expect((0...2).contains(try await number(ann, "Math.round(moved(before))")))
                try await goUp(ann, to: 1)
                #expect(try await ann.evaluate("return String(earlier.hidden)") == "true")
                #expect(try await number(ann, "most") == 300, "rows were never more")
                #expect(try await ann.evaluate("return String(seqs().every((seq, index) => seq === index + 1))") == "true")

                // And back to the end, where one goes on.
                try await ann.click("#newest")
                try await ann.awaitText("not to be seen yet", from: "bob")
                try await ann.say("here I am")
                try await ann.awaitText("here I am", from: "ann")
                #expect(try await ann.evaluate("return String(newer.hidden)") == "true")
            }
            await bob.leave()
        }
    }
}
