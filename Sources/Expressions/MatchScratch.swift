private import CPCRE2
private import Glibc

/// What matching needs beside the compiled code: one for each thread, made with its first match and
/// freed with the thread. So a match allocates nothing.
@safe
final class MatchScratch {
    let data: OpaquePointer
    let context: OpaquePointer
    private let stack: OpaquePointer?
    /// Where an empty text is.
    let someAddress: UnsafePointer<UInt8>
    /// A text whose bad bytes are replaced, and where the replacements stand in it; kept for the
    /// room that they have.
    var repaired: [UInt8] = []
    var replacements: [Int] = []

    /// Steps of going back that a match may take from each place where it can begin. Ordinary
    /// expressions take some hundred, and one that goes wrong takes all at once: that is 0.3 ms.
    private static let mostSteps: UInt32 = 50_000
    /// Nested brackets, and kilobytes, where PCRE2 interprets.
    private static let mostDepth: UInt32 = 2_000
    private static let mostHeap: UInt32 = 4 * 1024
    /// Bytes of the stack that compiled code has, at first and at the most.
    private static let stackSizes = (32 * 1024, 512 * 1024)

    private init() {
        // Each of these fails only without memory, where Swift stops the process too.
        guard let data = unsafe pcre2_match_data_create_8(1, nil),
            let context = unsafe pcre2_match_context_create_8(nil)
        else { preconditionFailure("no memory to match in") }
        unsafe self.data = data
        unsafe self.context = context
        unsafe someAddress = UnsafePointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 1))
        unsafe stack = pcre2_jit_stack_create_8(Self.stackSizes.0, Self.stackSizes.1, nil)
        unsafe pcre2_set_match_limit_8(context, Self.mostSteps)
        unsafe pcre2_set_depth_limit_8(context, Self.mostDepth)
        unsafe pcre2_set_heap_limit_8(context, Self.mostHeap)
        if let stack = unsafe stack {
            unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        }
    }

    deinit {
        unsafe pcre2_match_data_free_8(data)
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_jit_stack_free_8(stack)
        unsafe someAddress.deallocate()
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let failure = unsafe pthread_key_create(&key) { scratch in
            if let scratch = unsafe scratch {
                unsafe Unmanaged<MatchScratch>.fromOpaque(scratch).release()
            }
        }
        precondition(failure == 0, "no room for one value of each thread")
        return key
    }()

    /// The calling thread's.
    static var ofThread: MatchScratch {
        if let known = unsafe pthread_getspecific(key) {
            return unsafe Unmanaged<MatchScratch>.fromOpaque(known).takeUnretainedValue()
        }
        let scratch = MatchScratch()
        let kept = unsafe Unmanaged.passRetained(scratch)
        let failure = unsafe pthread_setspecific(key, kept.toOpaque())
        precondition(failure == 0, "no memory for one value of a thread")
        return scratch
    }
}
