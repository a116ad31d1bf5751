public import Sparq

extension ErrorCode {
    /// The name or the password is wrong; which of the two is not told.
    public static let invalidCredentials: Self = "invalid_credentials"
    /// Only members of the room may do this.
    public static let notAMember: Self = "not_a_member"
}
