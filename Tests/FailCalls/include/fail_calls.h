// Nothing to be called: the library stands in for libc's calls where LD_PRELOAD names it.
#pragma once
