/// The answer to one request.
package struct HTTPResponse: Hashable, Sendable {
    /// As in RFC 9110.
    package let status: Int
    /// The value of the header Content-Type.
    package let contentType: String
    /// As it is sent; empty where only the status says something.
    package let body: [UInt8]

    package init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// Plain text in UTF-8.
    package static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    static let notFound = text(404, "no such page\n")
    static let notAllowed = text(405, "only GET and HEAD are answered here\n")
    static let notHere = text(403, "this page is for who is on this machine's loopback\n")
    static let malformed = text(400, "this is no HTTP request\n")
}
