// Starting a program.
#pragma once

// Starts the program at `path` in a process group of its own, with no signal blocked or ignored, with
// `input` as its standard input, /dev/null as its standard output, our standard error, and no other
// descriptor. Returns 0 or an errno.
int clinux_spawn(const char *path, char *const argv[], char *const envp[], int input, int *pid);
