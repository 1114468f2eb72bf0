// The header holds everything; SwiftPM wants one file to compile.
#include "clinux.h"
