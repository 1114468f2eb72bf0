// What the release build writes into the program behind the linker's back.
#pragma once

// Hexadecimal digits of the commit that the program was built from, with a + behind them where files were
// changed since; empty where nobody wrote it down (`make release` does).
const char *clinux_commit(void);
