import Platform
import TestSupport
import Testing

/// Bytes that lie close to every border the searches know of.
func trickyBytes(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    let tricky: [UInt8] = [
        0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x61, 0x7E, 0x7F,
        0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xA8, 0xA9, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE2, 0xED,
        0xEF, 0xF0, 0xF4, 0xF5, 0xFF,
    ]
    return (0..<count).map { _ in
        switch UInt8.random(in: 0..<4, using: &random) {
        case 0: tricky[Int.random(in: 0..<tricky.count, using: &random)]
        case 1: UInt8.random(in: 0...255, using: &random)
        default: UInt8.random(in: 0x61...0x7A, using: &random)
        }
    }
}

/// UTF-8 as Unicode's table 3-7 has it, one row a case; written for reading, not for speed.
func referenceSequence(_ bytes: ArraySlice<UInt8>) -> Int {
    let b = Array(bytes.prefix(4)) + [0, 0, 0]
    func tail(_ index: Int) -> Bool { (0x80...0xBF).contains(b[index]) }
    switch b[0] {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: return tail(1) ? 2 : 0
    case 0xE0: return (0xA0...0xBF).contains(b[1]) && tail(2) ? 3 : 0
    case 0xE1...0xEC, 0xEE...0xEF: return tail(1) && tail(2) ? 3 : 0
    case 0xED: return (0x80...0x9F).contains(b[1]) && tail(2) ? 3 : 0
    case 0xF0: return (0x90...0xBF).contains(b[1]) && tail(2) && tail(3) ? 4 : 0
    case 0xF1...0xF3: return tail(1) && tail(2) && tail(3) ? 4 : 0
    case 0xF4: return (0x80...0x8F).contains(b[1]) && tail(2) && tail(3) ? 4 : 0
    default: return 0
    }
}

@Suite struct ByteSearchTests {
    @Test func findsTheFirstNewlineFromAnyStart() {
        var random = SplitMix(seed: 1)
        for _ in 0..<200 {
            let bytes = trickyBytes(Int.random(in: 0..<100, using: &random), &random)
            for start in 0...bytes.count {
                let expected = bytes[start...].firstIndex(of: 0x0A)
                #expect(ByteSearch.newline(in: bytes.span, from: start) == expected)
            }
        }
    }

    @Test func findsTheFirstByteThatAStringCannotHoldFromAnyStart() {
        var random = SplitMix(seed: 2)
        for _ in 0..<400 {
            let bytes = trickyBytes(Int.random(in: 0..<70, using: &random), &random)
            for start in 0...bytes.count {
                let expected =
                    bytes[start...].firstIndex {
                        $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 > 0x7F
                    }
                #expect(
                    ByteSearch.special(in: bytes.span, from: start) == expected ?? bytes.count,
                    "\(bytes) from \(start)")
            }
        }
    }

    @Test func everyByteIsSpecialOrNotInEveryPlaceOfAWord() {
        for byte in UInt8.min...UInt8.max {
            let special = byte < 0x20 || byte == 0x22 || byte == 0x5C || byte > 0x7F
            for place in 0..<17 {
                var bytes = [UInt8](repeating: 0x7F, count: 17)
                bytes[place] = byte
                #expect(ByteSearch.special(in: bytes.span, from: 0) == (special ? place : 17))
            }
        }
    }

    @Test func sequencesAreThoseOfUnicodeForEveryThreeBytes() {
        var wrong: [[UInt8]] = []
        for first in UInt8(0x7E)...0xFF {
            for second in UInt8.min...UInt8.max {
                for third: UInt8 in [0x00, 0x41, 0x7F, 0x80, 0x81, 0xBE, 0xBF, 0xC0, 0xFF] {
                    let bytes = [first, second, third]
                    if ByteSearch.sequence(in: bytes.span, at: 0) != referenceSequence(bytes[...]) {
                        wrong.append(bytes)
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func sequencesOfFourBytesEndAtTheLastCodePoint() {
        var wrong: [[UInt8]] = []
        for first in UInt8(0xEF)...0xFF {
            for second in UInt8.min...UInt8.max {
                for (third, fourth): (UInt8, UInt8) in [
                    (0x80, 0x80), (0xBF, 0xBF), (0x7F, 0x80), (0x80, 0x7F), (0xC0, 0x80),
                    (0x80, 0xC0),
                ] {
                    let bytes = [first, second, third, fourth, 0x80]
                    if ByteSearch.sequence(in: bytes.span, at: 0) != referenceSequence(bytes[...]) {
                        wrong.append(bytes)
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func everyScalarIsOneSequence() {
        for value in stride(from: UInt32(0), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            #expect(ByteSearch.sequence(in: bytes.span, at: 0) == bytes.count)
            if bytes.count > 1 {
                #expect(ByteSearch.sequence(in: Array(bytes.dropLast()).span, at: 0) == 0)
            }
        }
    }

    @Test func whatIsOneSequenceAfterAnotherIsUTF8() {
        var random = SplitMix(seed: 3)
        for _ in 0..<2000 {
            let bytes = trickyBytes(Int.random(in: 0..<40, using: &random), &random)
            var valid = 0
            while valid < bytes.count {
                let length = ByteSearch.sequence(in: bytes.span, at: valid)
                if length == 0 { break }
                valid += length
            }
            #expect((String(validating: bytes, as: UTF8.self) != nil) == (valid == bytes.count))
        }
    }

    @Test func aCutNeverPartsACharacter() {
        let bytes = Array("aä☃😀z".utf8)
        let cuts = (0...bytes.count).map { ByteSearch.boundary(in: bytes.span, upTo: $0) }
        #expect(cuts == [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11])
    }

    @Test func aCutInBytesThatAreNoTextStaysWhereItIs() {
        let stray: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80]
        #expect(ByteSearch.boundary(in: stray.span, upTo: 5) == 5)
        let short: [UInt8] = [0x61, 0xE2, 0x98, 0x41]
        #expect(ByteSearch.boundary(in: short.span, upTo: 2) == 2)
        let overlong: [UInt8] = [0xF4, 0x90, 0x80, 0x80]
        #expect(ByteSearch.boundary(in: overlong.span, upTo: 3) == 3)
    }
}
