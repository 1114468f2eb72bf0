private import CCrypto

/// SHA-256 by libcrypto.
package enum Digest {
    /// Bytes of a SHA-256.
    package static let length = 32

    /// The 32 bytes of SHA-256 over `bytes`. A libcrypto without SHA-256 cannot name a file's
    /// content at all and stops the process.
    package static func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: length) { digest, filled in
            let done = unsafe bytes.withUnsafeBufferPointer { source in
                unsafe EVP_Digest(
                    source.baseAddress, source.count, digest.baseAddress, nil, EVP_sha256(), nil)
            }
            precondition(done == 1, "libcrypto offers no SHA-256")
            filled = length
        }
    }

    /// The first 8 bytes of SHA-256 over `bytes`, read big endian: an id.
    package static func id64(_ bytes: Span<UInt8>) -> UInt64 {
        sha256(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
