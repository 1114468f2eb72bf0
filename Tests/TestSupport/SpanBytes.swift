/// A copy of the bytes of a span, made by one memcpy: a loop over a span takes its time in a build for
/// tests, and a consumer has many records.
package func bytes(of span: Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}
