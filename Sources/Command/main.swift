import Glibc
import Shipper

exit(Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
