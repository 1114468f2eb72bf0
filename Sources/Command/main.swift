import Platform
import Shipper

// Not exit(3): that takes away what C libraries have while threads are in them. A look for gone
// files may go on until now, and a reader may hang with a file system. All that is to be written
// was written by then.
let code = Program.run(Array(CommandLine.arguments.dropFirst()))
ProcessContext.endAtOnce(code.rawValue)
