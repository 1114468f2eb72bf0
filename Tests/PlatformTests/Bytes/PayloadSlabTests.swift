import Platform
import TestSupport
import Testing

/// Filebeat's escapes, a byte at a time.
func referenceJSONString(_ bytes: [UInt8]) -> (text: [UInt8], units: [Int], replaced: Bool) {
    var text: [UInt8] = []
    var units: [Int] = []
    var replaced = false
    var index = 0
    while index < bytes.count {
        units.append(index)
        let length = referenceSequence(bytes[index...])
        let unit = Array(bytes[index..<index + max(length, 1)])
        switch unit {
        case _ where length == 0:
            text += Array(#"\ufffd"#.utf8)
            replaced = true
        case [0x22]: text += Array(#"\""#.utf8)
        case [0x5C]: text += Array(#"\\"#.utf8)
        case [0x0A]: text += Array(#"\n"#.utf8)
        case [0x0D]: text += Array(#"\r"#.utf8)
        case [0x09]: text += Array(#"\t"#.utf8)
        case _ where unit[0] < 0x10: text += Array("\\u000\(String(unit[0], radix: 16))".utf8)
        case _ where unit[0] < 0x20: text += Array("\\u00\(String(unit[0], radix: 16))".utf8)
        case [0xE2, 0x80, 0xA8]: text += Array(#"\u2028"#.utf8)
        case [0xE2, 0x80, 0xA9]: text += Array(#"\u2029"#.utf8)
        default: text += unit
        }
        index += max(length, 1)
    }
    units.append(bytes.count)
    return (text, units, replaced)
}

@Suite struct PayloadSlabTests {
    @Test func holdsWhatWasAppended() {
        let slab = PayloadSlab(capacity: 64)
        slab.append([1, 2, 3])
        slab.append(4)
        slab.append([])
        slab.append([5, 6].span)
        #expect(slab.contents == [1, 2, 3, 4, 5, 6])
        #expect(slab.room == 58)
        slab.cut(to: 2)
        slab.append(9)
        #expect(slab.contents == [1, 2, 9])
        slab.replace(at: 0, with: [7, 8].span)
        #expect(slab.contents == [7, 8, 9])
    }

    @Test func canBeFilledToItsLastByte() {
        let slab = PayloadSlab(capacity: 17)
        slab.append(0x61)
        slab.appendHex16(1)
        #expect(slab.room == 0)
        #expect(slab.appendJSONString([0x61].span, limit: 0).consumed == 0)
        #expect(slab.count == 17)
    }

    @Test func writesDecimalNumbersOfEveryLength() {
        var numbers = [0, 1, -1, .max, .min, 123_456]
        var power = 1
        for _ in 0..<18 {
            power *= 10
            numbers += [power - 1, power, power + 1, 1 - power, -power]
        }
        for number in numbers {
            let slab = PayloadSlab(capacity: 20)
            slab.appendDecimal(number)
            #expect(slab.contents == Array(String(number).utf8))
        }
    }

    @Test func writesHexadecimalNumbersWithAllTheirZeros() {
        for number: UInt64 in [
            0, 1, 0x9, 0xA, 0xF, .max, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210,
        ] {
            let digits = String(number, radix: 16)
            let slab = PayloadSlab(capacity: 20)
            slab.append([0x2D])
            slab.appendHex16(number)
            let expected = "-" + String(repeating: "0", count: 16 - digits.count) + digits
            #expect(slab.contents == Array(expected.utf8))
        }
    }

    @Test func escapesEveryByteAloneAndBesideEveryOther() {
        var wrong: [[UInt8]] = []
        let slab = PayloadSlab(capacity: 64)
        func check(_ bytes: [UInt8]) {
            slab.cut(to: 0)
            let fit = slab.appendJSONString(bytes.span, limit: slab.room)
            let expected = referenceJSONString(bytes)
            let same =
                slab.contents == expected.text && fit.replaced == expected.replaced
                && fit.consumed == bytes.count
            if !same { wrong.append(bytes) }
        }
        check([])
        for first in UInt8.min...UInt8.max {
            check([first])
            for second in UInt8.min...UInt8.max {
                check([first, second])
            }
            // Where eight bytes are looked at together, at each place of the word.
            for place in 0..<8 {
                var bytes = [UInt8](repeating: 0x61, count: 18)
                bytes[place] = first
                bytes[place + 1] = first ^ 0x02
                check(bytes)
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func escapesAnyBytesAsAByteByByteEncoderDoes() {
        var random = SplitMix(seed: 4)
        for _ in 0..<5000 {
            let bytes = trickyBytes(Int.random(in: 0..<90, using: &random), &random)
            let slab = PayloadSlab(capacity: 6 * bytes.count + 1)
            let fit = slab.appendJSONString(bytes.span, limit: slab.room)
            let expected = referenceJSONString(bytes)
            #expect(slab.contents == expected.text, "\(bytes)")
            #expect(fit.replaced == expected.replaced)
            #expect(PayloadSlab.jsonStringCount(bytes.span, limit: .max) == expected.text.count)
        }
    }

    @Test func aTextThatDoesNotFitIsCutBetweenCharactersAndGoesOnThere() {
        var random = SplitMix(seed: 5)
        for _ in 0..<2000 {
            let bytes = trickyBytes(Int.random(in: 1..<40, using: &random), &random)
            let expected = referenceJSONString(bytes)
            let limit = Int.random(in: 6...30, using: &random)
            var text: [UInt8] = []
            var replaced = false
            var done = 0
            while done < bytes.count {
                // Bytes before and behind the limit must not change.
                let slab = PayloadSlab(capacity: limit + 9)
                slab.append(0xAA)
                let rest = Array(bytes[done...])
                let fit = slab.appendJSONString(rest.span, limit: limit)
                #expect(fit.consumed > 0)
                #expect(slab.count - 1 <= limit)
                #expect(expected.units.contains(done + fit.consumed))
                #expect(
                    PayloadSlab.jsonStringCount(rest.span, limit: limit) >= slab.count - 1)
                #expect(slab.contents[0] == 0xAA)
                text += slab.contents.dropFirst()
                replaced = replaced || fit.replaced
                done += fit.consumed
                if done < bytes.count {
                    let next = referenceJSONString(Array(bytes[done...]))
                    let first = referenceJSONString(Array(bytes[done..<done + next.units[1]]))
                    #expect(slab.count - 1 + first.text.count > limit, "more would have fitted")
                }
            }
            #expect(text == expected.text, "\(bytes)")
            #expect(replaced == expected.replaced)
        }
    }

    @Test func charactersKeepTheirFormUnlessTheyMustNot() {
        let slab = PayloadSlab(capacity: 200)
        let text = "<b>&/\u{7F} äöü ☃ 😀 \u{2027}\u{2028}\u{2029}\u{202A} \u{7}\u{1B}\"\\\n\r\t"
        _ = slab.appendJSONString(Array(text.utf8).span, limit: slab.room)
        let expected =
            "<b>&/\u{7F} äöü ☃ 😀 \u{2027}\\u2028\\u2029\u{202A} \\u0007\\u001b\\\"\\\\\\n\\r\\t"
        #expect(slab.contents == Array(expected.utf8))
    }
}

extension PayloadSlab {
    /// A copy of everything appended.
    var contents: [UInt8] {
        withBytes(0..<count) { bytes in bytes.indices.map { bytes[$0] } }
    }
}
