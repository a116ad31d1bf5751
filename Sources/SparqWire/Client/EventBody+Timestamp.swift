extension EventBody {
    /// `2026-01-31T12:00:00.000Z`, from milliseconds since the Unix epoch.
    package static func timestamp(milliseconds: Int) -> ArraySlice<UInt8> {
        let (days, ofDay) = (milliseconds.flooredQuotient(86_400_000), milliseconds.flooredRemainder(86_400_000))
        // Days to a civil date, counted in eras of 400 years from the first of March, 0000.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func put(_ value: Int, _ width: Int, _ end: Unicode.Scalar) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
                divisor /= 10
            }
            text.append(UInt8(ascii: end))
        }
        put(year, 4, "-")
        put(month, 2, "-")
        put(day, 2, "T")
        put(ofDay / 3_600_000, 2, ":")
        put(ofDay / 60_000 % 60, 2, ":")
        put(ofDay / 1000 % 60, 2, ".")
        put(ofDay % 1000, 3, "Z")
        return text[...]
    }

    /// Milliseconds since the Unix epoch, from such a text; `nil` for all others.
    package static func milliseconds(ofTimestamp text: ArraySlice<UInt8>) -> Int? {
        let form = "0000-00-00T00:00:00.000Z".utf8
        let isForm = zip(text, form).allSatisfy {
            $1 == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) : $0 == $1
        }
        guard text.count == form.count, isForm else { return nil }
        let digits = text.map { Int($0) - 0x30 }
        func number(_ places: Range<Int>) -> Int { digits[places].reduce(0) { $0 * 10 + $1 } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = (number(11..<13) * 60 + number(14..<16)) * 60 + number(17..<19)
        let milliseconds = days * 86_400_000 + seconds * 1000 + number(20..<23)
        // A day or a time that does not exist is another text.
        return timestamp(milliseconds: milliseconds) == text ? milliseconds : nil
    }
}

extension Int {
    fileprivate func flooredQuotient(_ divisor: Int) -> Int { (self - flooredRemainder(divisor)) / divisor }
    fileprivate func flooredRemainder(_ divisor: Int) -> Int { (self % divisor + divisor) % divisor }
}
