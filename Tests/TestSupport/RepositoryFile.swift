/// A file of this repository, as text.
package func repositoryFile(_ relative: String) throws -> String {
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return String(decoding: try readFile("/\(repository)/\(relative)"), as: UTF8.self)
}
