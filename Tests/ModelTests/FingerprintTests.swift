import Model
import Testing

@Suite("A fingerprint is its length and its 32 bytes") struct FingerprintTests {
    @Test("The bytes come back as they were given, and tell two apart by any of them")
    func digest() {
        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: 7 * $0 + 200) }
        let fingerprint = Fingerprint(length: 5, digest: bytes)
        #expect(fingerprint.digest == bytes)
        #expect(fingerprint == Fingerprint(length: 5, digest: bytes))
        #expect(fingerprint != Fingerprint(length: 6, digest: bytes))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(fingerprint != Fingerprint(length: 5, digest: other))
        }
    }
}
