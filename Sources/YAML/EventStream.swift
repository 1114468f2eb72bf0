import CYaml

/// libyaml's parser over one text, event by event.
///
/// The parser lives on the heap because libyaml keeps a pointer to it in itself; the text is copied
/// beside it because libyaml reads from there until the end. One thread uses it.
@safe
final class EventStream {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let text: SourceText
    private let file: String

    init(_ text: SourceText, file: String) {
        self.text = text
        self.file = file
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        // Fails only without memory, where Swift stops the process too.
        let ready = unsafe yaml_parser_initialize(parser)
        precondition(ready == 1, "libyaml could not allocate its parser")
        unsafe input = .allocate(capacity: max(1, text.bytes.count))
        _ = unsafe input.initialize(from: text.bytes)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, text.bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event. Not to be called again after `streamEnd` or an error.
    func next() throws(YAMLError) -> Event {
        var raw = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&raw) }
        return unsafe translate(raw)
    }

    private func translate(_ raw: yaml_event_t) -> Event {
        var anchor: String?
        var tag: String?
        let kind: Event.Kind
        switch unsafe raw.type {
        case YAML_STREAM_START_EVENT: kind = .streamStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        case YAML_ALIAS_EVENT:
            kind = unsafe .alias(name: string(raw.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe raw.data.scalar
            unsafe anchor = string(scalar.anchor)
            unsafe tag = string(scalar.tag)
            // The text may hold NUL (from "\0"), so its length counts, not its terminator.
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let style = unsafe scalar.style
            kind = unsafe .scalar(
                Node.Scalar(
                    text: String(decoding: bytes, as: UTF8.self),
                    isPlain: style == YAML_PLAIN_SCALAR_STYLE))
        case YAML_SEQUENCE_START_EVENT:
            unsafe anchor = string(raw.data.sequence_start.anchor)
            unsafe tag = string(raw.data.sequence_start.tag)
            kind = .listStart
        case YAML_SEQUENCE_END_EVENT: kind = .listEnd
        case YAML_MAPPING_START_EVENT:
            unsafe anchor = string(raw.data.mapping_start.anchor)
            unsafe tag = string(raw.data.mapping_start.tag)
            kind = .mapStart
        case YAML_MAPPING_END_EVENT: kind = .mapEnd
        default: kind = .none
        }
        return unsafe Event(kind: kind, mark: mark(raw.start_mark), anchor: anchor, tag: tag)
    }

    /// The parser's own fault, with the place in the words of this module.
    private func failure() -> YAMLError {
        let error = unsafe parser.pointee.error
        let problem = unsafe string(parser.pointee.problem) ?? "out of memory"
        if error == YAML_READER_ERROR {
            // The reader works below lines, so it names a byte.
            let place = text.mark(at: unsafe Int(parser.pointee.problem_offset))
            let value = unsafe String(parser.pointee.problem_value, radix: 16)
            return YAMLError(file: file, mark: place, problem: "\(problem) (U+\(value))")
        }
        let place = unsafe mark(parser.pointee.problem_mark)
        let isTabs =
            problem.contains("cannot start any token") || problem.contains("tab character")
        if error == YAML_SCANNER_ERROR, isTabs, text.holds(UInt8(ascii: "\t"), at: place) {
            return YAMLError(
                file: file, mark: place, problem: "a tab cannot indent YAML; use spaces")
        }
        let context = unsafe string(parser.pointee.context) ?? ""
        let start = unsafe mark(parser.pointee.context_mark)
        let (byteBefore, byte) = text.bytes(around: place)
        let stumble = CommonMistake.Stumble(
            problem: problem, context: context, place: place, start: start, byte: byte,
            byteBefore: byteBefore)
        if let mistake = CommonMistake(stumble) {
            return YAMLError(file: file, mark: mistake.place, problem: mistake.sentence)
        }
        var message = "not YAML: " + problem
        if !context.isEmpty {
            message += " " + context
            if error == YAML_PARSER_ERROR { message += " that starts at \(start)" }
        }
        return YAMLError(file: file, mark: place, problem: message)
    }

    private func mark(_ raw: yaml_mark_t) -> Mark {
        Mark(line: Int(raw.line) + 1, column: Int(raw.column) + 1)
    }

    private func string(_ text: UnsafePointer<CChar>?) -> String? {
        guard let text = unsafe text else { return nil }
        return unsafe String(cString: text)
    }

    private func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let text = unsafe text else { return nil }
        return unsafe String(cString: text)
    }
}

/// The next event of libyaml's parser.
struct Event {
    enum Kind {
        case streamStart, streamEnd
        case documentStart, documentEnd
        case alias(name: String)
        case scalar(Node.Scalar)
        case listStart, listEnd
        case mapStart, mapEnd
        case none
    }
    let kind: Kind
    let mark: Mark
    /// The name that an alias can repeat this value by.
    let anchor: String?
    /// An explicit tag, long form.
    let tag: String?
}
