internal import CRdkafka
internal import Glibc

/// The version of the librdkafka that this process, the agent and kcat are linked with.
package var librdkafkaVersion: String { unsafe String(cString: rd_kafka_version_str()) }

/// A handle with these properties; the caller destroys it.
func makeClient(
    _ kind: rd_kafka_type_t, _ properties: [String: String]
) throws(MachineError) -> OpaquePointer {
    var text = [CChar](repeating: 0, count: 512)
    guard let configuration = unsafe rd_kafka_conf_new() else {
        throw MachineError("librdkafka: no memory")
    }
    for (name, value) in properties {
        let code = unsafe rd_kafka_conf_set(configuration, name, value, &text, text.count)
        guard code == RD_KAFKA_CONF_OK else {
            unsafe rd_kafka_conf_destroy(configuration)
            throw MachineError("librdkafka: \(string(text))")
        }
    }
    guard let client = unsafe rd_kafka_new(kind, configuration, &text, text.count) else {
        unsafe rd_kafka_conf_destroy(configuration)
        throw MachineError("librdkafka: \(string(text))")
    }
    return unsafe client
}

func string(_ text: [CChar]) -> String {
    String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

func reason(_ code: rd_kafka_resp_err_t) -> String {
    unsafe String(cString: rd_kafka_err2str(code))
}
