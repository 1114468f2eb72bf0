import Platform
import Testing

@Suite struct JSONTextTests {
    @Test func buildsNestedValuesWithTheirCommas() {
        var json = JSONText()
        json.openObject()
        json.key("a\"b")
        json.string("x\n☃")
        json.key("list")
        json.openArray()
        json.integer(-3)
        json.openArray()
        json.closeArray()
        json.boolean(true)
        json.null()
        json.openObject()
        json.closeObject()
        json.rendered(Array("[1]".utf8))
        json.closeArray()
        json.key("n")
        json.number(0.25)
        json.closeObject()
        let expected = #"{"a\"b":"x\n☃","list":[-3,[],true,null,{},[1]],"n":0.25}"#
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        (3.0, "3"), (2.5, "2.5"), (-0.0, "-0"), (1e300, "1e+300"), (1e-7, "1e-07"),
        (.infinity, "null"), (.nan, "null"), (0.1, "0.1"),
    ])
    func numbersAreWhatJSONAllows(number: Double, expected: String) {
        var json = JSONText()
        json.number(number)
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
    }

    @Test func bytesThatAreNoTextBecomeReplacements() {
        var json = JSONText()
        json.string([0x61, 0xFF, 0xC3])
        #expect(String(decoding: json.bytes, as: UTF8.self) == #""a\ufffd\ufffd""#)
    }
}
