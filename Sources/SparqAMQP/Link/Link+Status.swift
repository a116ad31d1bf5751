internal import CRabbitMQ
internal import Glibc

extension Link {
    /// Calls librabbitmq, and throws what a negative status means.
    static func check(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(AMQPError) {
        errno = 0
        let status = call()
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw failure(status, errno, operation: operation())
    }

    /// Makes an error of a negative status of librabbitmq, and of `errno` as the call left it.
    static func failure(_ status: Int32, _ number: Int32, operation: String) -> AMQPError {
        var text = amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
        // Only these leave a number of their own. TLS goes on after EAGAIN, so that one is no cause.
        let isSystems = [AMQP_STATUS_SOCKET_ERROR, AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_CONNECTION_FAILED].contains {
            $0.rawValue == status
        }
        let hasCause = isSystems && number != 0 && number != EAGAIN
        if hasCause { text += ": \(SystemError.text(number))" }
        let code = hasCause && SystemError.isLack(number) ? .outOfResources : code(status)
        return AMQPError(code, text, operation: operation)
    }

    private static func code(_ status: Int32) -> AMQPError.Code {
        switch status {
        case AMQP_STATUS_TIMEOUT.rawValue: .timeout
        case AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue: .heartbeatTimeout
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED.rawValue: .connectFailed
        case AMQP_STATUS_NO_MEMORY.rawValue: .outOfResources
        case AMQP_STATUS_TABLE_TOO_BIG.rawValue, AMQP_STATUS_INVALID_PARAMETER.rawValue: .invalidArgument
        case AMQP_STATUS_SSL_ERROR.rawValue, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue,
            AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue, AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            .tlsFailed
        case AMQP_STATUS_BAD_AMQP_DATA.rawValue, AMQP_STATUS_UNKNOWN_CLASS.rawValue, AMQP_STATUS_UNKNOWN_METHOD.rawValue,
            AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION.rawValue, AMQP_STATUS_UNEXPECTED_STATE.rawValue,
            AMQP_STATUS_WRONG_METHOD.rawValue, AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD.rawValue:
            .protocolViolation
        default: .connectionLost
        }
    }
}
