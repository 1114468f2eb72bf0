import Model
import TestSupport
import Testing

@Suite("Places in a file: in its content, and where the kernel has them") struct OffsetTests {
    @Test("What was removed from a file's front lies between the two")
    func bridge() {
        let base = Base(1000)
        #expect(base.logical(.start) == base.start && base.start == 1000)
        #expect(base.logical(7) == 1007 && base.physical(1007) == 7)
        // That byte is not there any more.
        #expect(base.physical(999) == -1)
        #expect(Base.none.logical(7) == 7 && Base.none.physical(7) == 7)
    }

    @Test("Arithmetic stops at the ends of the number")
    func ends() {
        #expect(PhysicalOffset.max + 1 == .max && LogicalOffset.max + 1 == .max)
        #expect(PhysicalOffset(.min) - 1 == PhysicalOffset(.min))
        #expect(PhysicalOffset.max - PhysicalOffset(-1) == .max)
        #expect(PhysicalOffset(-2) - PhysicalOffset.max == .min)
        #expect(Base(.max).logical(1) == .max)
        #expect(Base(-1).physical(.max) == .max)
    }

    @Test("They cost what one number costs")
    func size() {
        #expect(MemoryLayout<PhysicalOffset>.size == MemoryLayout<Int>.size)
        #expect(MemoryLayout<LogicalOffset>.size == MemoryLayout<Int>.size)
    }
}
