extension Span<UInt8> {
    /// The whole as one number, which may have a minus sign.
    package var signedValue: Double? {
        guard count > 0, self[0] == UInt8(ascii: "-") else { return unsignedValue.map { Double($0) } }
        return extracting(droppingFirst: 1).unsignedValue.map { -Double($0) }
    }
}
