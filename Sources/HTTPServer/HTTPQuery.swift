package import Platform

/// Asks a server for one page, by HTTP/1.1.
package enum HTTPQuery {
    /// Of an answer, its header included.
    private static let mostBytes = 4 << 20
    /// For each step, seconds.
    private static let patience = 5

    /// The status and the body of `path`, which is printable ASCII without blanks. Nil: what
    /// answers there speaks something else.
    package static func get(
        _ address: InternetAddress, _ path: String
    ) throws(SystemError) -> (status: Int, body: [UInt8])? {
        let request = "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
        return answer(
            try address.exchange(Array(request.utf8), most: mostBytes, patience: patience))
    }

    static func answer(_ bytes: [UInt8]) -> (status: Int, body: [UInt8])? {
        let end = Array("\r\n\r\n".utf8)
        guard let head = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            return nil
        }
        let words = String(decoding: bytes[..<head], as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return nil
        }
        return (status, Array(bytes[(head + end.count)...]))
    }
}
