private import CMicrohttpd

extension HTTPServer {
    /// The version of libmicrohttpd that is loaded.
    package static var library: String {
        unsafe MHD_get_version().map { unsafe String(cString: $0) } ?? "unknown"
    }
}
