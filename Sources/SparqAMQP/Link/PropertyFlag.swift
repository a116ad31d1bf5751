/// Which properties a content header holds (AMQP 0-9-1, 4.2.6.1: from the highest bit down, in the order of the class's fields).
enum PropertyFlag: UInt32 {
    case contentType = 0x8000
    case contentEncoding = 0x4000
    case headers = 0x2000
    case deliveryMode = 0x1000
    case priority = 0x0800
    case correlationID = 0x0400
    case replyTo = 0x0200
    case expiration = 0x0100
    case messageID = 0x0080
    case timestamp = 0x0040
    case type = 0x0020
    case userID = 0x0010
    case appID = 0x0008
}
