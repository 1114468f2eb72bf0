// What a program is started with: C's global variables behind calls, because Swift takes every global
// variable of C for a data race.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <getopt.h>
#include <unistd.h>

static inline char **clinux_environment(void) { return environ; }

// getopt_long keeps its place in globals, so one caller at a time.

static inline void clinux_options_begin(void) {
    optind = 0;  // glibc: begin anew, with a new look at the option string
    opterr = 0;  // we word the errors
}

static inline int clinux_options_next(int count, char *const *arguments, const char *shorts, const struct option *longs) {
    return getopt_long(count, arguments, shorts, longs, 0);
}

// The argument of the option just returned.
static inline const char *clinux_option_argument(void) { return optarg; }

// Index of the next argument that was not looked at; after the end, of the first operand.
static inline int clinux_option_index(void) { return optind; }

// The option that could not be taken: its character or value, 0 for a long option that is unknown.
static inline int clinux_option_refused(void) { return optopt; }
