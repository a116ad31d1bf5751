/// The version of everything in this package. The top entry of CHANGELOG.md has the same.
public enum SparqVersion {
    /// Like `1.2.3` ([Semantic Versioning](https://semver.org/spec/v2.0.0.html)).
    public static let text = "0.1.0"
}
