#include "commit.h"

// A section of its own, so that `objcopy --update-section` finds it: a definition for the compiler would have
// everything built again with each commit. Volatile, so that nobody takes it for what it is here.
__attribute__((section(".shipper_commit"), used)) static volatile const char commit[64] = "";

const char *clinux_commit(void) { return (const char *)commit; }
