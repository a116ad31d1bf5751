import Foundation

/// Session tokens that no front would give out: expired, or signed by somebody else. Made by openssl, apart from the code under test.
enum TestToken {
    static func make(user: String, expiresIn seconds: Int, secret: String) throws -> String {
        let expiry = Int(Date().timeIntervalSince1970) + seconds
        let head = base64(Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
        let claims = base64(Data(#"{"sub":"\#(user)","iat":\#(expiry - 3600),"exp":\#(expiry)}"#.utf8))
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("\(head).\(claims)".utf8))
        try input.fileHandleForWriting.close()
        let signature = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return "\(head).\(claims).\(base64(signature))"
    }

    private static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
