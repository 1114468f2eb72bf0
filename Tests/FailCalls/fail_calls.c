// Makes system calls of a program fail on chosen paths, as sick disks, stale mounts and other people's rights do:
//
//   LD_PRELOAD=libfailcalls.so FAIL_CALLS=RULES PROGRAM
//
// RULES is a file that is read at every call, so that a fault comes and goes while the program runs. Each line is
//
//   CALL ERRNO TIMES PATH
//
// CALL is stat, open, access (an open for more than a place, O_PATH), read, lseek, lease, getdents, handle, statx, statfs, fsync or write; ERRNO a number; TIMES how often it fails, 0 for ever;
// PATH what it is made on, as a whole, or with "/**" behind it that and all beneath it. With ERRNO -1 the call does not come back
// before the rule is gone, as where a server is gone, and CALL may be "any". Each failed call adds a byte to RULES.hits, so that a test knows that there was one.
// With ERRNO 0 the call is made as ever, and adds a byte to RULES.CALL.
//
// With FAIL_MOUNTS=TABLE the program reads that file for /proc/self/mountinfo, if it is there.
//
// And gives a part of the tree the times of a server whose clock is not ours:
//
//   FILE_CLOCK="SECONDS TICK PATH"
//
// What lies beneath PATH is on a device of its own, and its times are SECONDS later than they are, in steps of TICK nanoseconds.
//
// And sets the clock that librdkafka gives records their times by, which is gettimeofday; whoever waits asks other clocks:
//
//   CLOCK_AHEAD=FILE
//
// FILE has the seconds that it is ahead, and is read at every call.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fail_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

// The real call of this name.
#define REAL(result, name, ...)                                                \
    static result (*real)(__VA_ARGS__);                                        \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

enum { MOST_RULES = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char line[PATH_MAX + 64];
    long count;
} counted[MOST_RULES];

static long real_syscall(long number, long a, long b, long c, long d) {
    static long (*real)(long, ...);
    if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return real(number, a, b, c, d);
}

// Whether a rule that fails so many times has not done so yet.
static int is_left(const char *line, long times) {
    if (times == 0) return 1;
    int left = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_RULES; i++) {
        if (counted[i].line[0] == 0) snprintf(counted[i].line, sizeof counted[i].line, "%s", line);
        if (strcmp(counted[i].line, line) != 0) continue;
        left = counted[i].count < times;
        if (left) counted[i].count++;
        break;
    }
    pthread_mutex_unlock(&lock);
    return left;
}

static void note(const char *rules, const char *ending) {
    char hits[PATH_MAX];
    snprintf(hits, sizeof hits, "%s.%s", rules, ending);
    long file = real_syscall(
        SYS_openat, AT_FDCWD, (long)hits, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    real_syscall(SYS_write, file, (long)"x", 1, 0);
    real_syscall(SYS_close, file, 0, 0, 0);
}

static int is_meant(const char *rule, const char *path) {
    size_t length = strlen(rule);
    if (length < 3 || strcmp(rule + length - 3, "/**")) return !strcmp(rule, path);
    length -= 3;
    return !strncmp(rule, path, length) && (path[length] == 0 || path[length] == '/');
}

// The errno with which this call is to fail on this path; 0 where it is not, -1 where it hangs.
static int look_up(const char *call, const char *path, int notes) {
    const char *rules = getenv("FAIL_CALLS");
    if (!rules) return 0;
    int saved = errno, code = 0;
    char text[65536];
    long file = real_syscall(SYS_openat, AT_FDCWD, (long)rules, O_RDONLY | O_CLOEXEC, 0);
    long size = file < 0 ? 0 : real_syscall(SYS_read, file, (long)text, sizeof text - 1, 0);
    if (file >= 0) real_syscall(SYS_close, file, 0, 0, 0);
    text[size > 0 ? size : 0] = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[16];
        int number, begin = 0;
        long times;
        if (sscanf(line, "%15s %d %ld %n", name, &number, &times, &begin) != 3) continue;
        if ((strcmp(name, call) && strcmp(name, "any")) || !is_meant(line + begin, path)) continue;
        if (!is_left(line, times)) continue;
        if (notes) note(rules, number ? "hits" : call);
        if (!number) continue;
        code = number;
        break;
    }
    errno = saved;
    return code;
}

static int fault(const char *call, const char *path) {
    int code = look_up(call, path, 1);
    while (code < 0) {
        usleep(20000);
        code = look_up(call, path, 0);
    }
    return code;
}

// The path of what a descriptor stands for, or of a name beneath it.
static void find_path(int descriptor, const char *name, char *path, size_t size) {
    char link[64];
    int saved = errno;
    if (name && !strncmp(name, "/proc/self/fd/", 14)) {
        descriptor = atoi(name + 14);
        name = NULL;
    }
    path[0] = 0;
    if (name && name[0] == '/') {
        snprintf(path, size, "%s", name);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        long length = real_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, PATH_MAX - 1);
        if (length < 0) length = 0;
        path[length] = 0;
        if (name && name[0] && strcmp(name, "."))
            snprintf(path + length, size - (size_t)length, "/%s", name);
    }
    errno = saved;
}

// Whether this call is to fail on what a descriptor stands for; on a name beneath it, if there is one.
static int is_faulty(const char *call, int descriptor, const char *name) {
    char path[2 * PATH_MAX];
    find_path(descriptor, name, path, sizeof path);
    int code = fault(call, path);
    if (code) errno = code;
    return code;
}

// Whether the times of what lies there are another clock's.
static int has_clock(int descriptor, const char *name, long *seconds, long *tick) {
    const char *clock = getenv("FILE_CLOCK");
    int begin = 0;
    if (!clock || sscanf(clock, "%ld %ld %n", seconds, tick, &begin) != 2) return 0;
    char path[2 * PATH_MAX];
    find_path(descriptor, name, path, sizeof path);
    return !strncmp(path, clock + begin, strlen(clock + begin));
}

static void set_clock(long *seconds, long *nanoseconds, long shift, long tick) {
    __int128 time = ((__int128)*seconds + shift) * 1000000000 + *nanoseconds;
    if (tick > 0) time -= time % tick;
    *seconds = (long)(time / 1000000000);
    *nanoseconds = (long)(time % 1000000000);
}

static void set_clocks(int descriptor, const char *name, struct stat *into) {
    long shift, tick;
    if (!has_clock(descriptor, name, &shift, &tick)) return;
    into->st_dev += 1 << 20;
    set_clock(&into->st_mtim.tv_sec, &into->st_mtim.tv_nsec, shift, tick);
    set_clock(&into->st_ctim.tv_sec, &into->st_ctim.tv_nsec, shift, tick);
}

static int is_barred(int directory, const char *name, uint64_t flags) {
    return is_faulty("open", directory, name) ||
           (!(flags & O_PATH) && is_faulty("access", directory, name));
}

int fstatat(int directory, const char *name, struct stat *into, int flags) {
    REAL(int, "fstatat", int, const char *, struct stat *, int);
    if (is_faulty("stat", directory, name)) return -1;
    int result = real(directory, name, into, flags);
    if (result == 0) set_clocks(directory, name, into);
    return result;
}

int fstat(int file, struct stat *into) {
    REAL(int, "fstat", int, struct stat *);
    if (is_faulty("stat", file, NULL)) return -1;
    int result = real(file, into);
    if (result == 0) set_clocks(file, NULL, into);
    return result;
}

int fstatfs(int file, struct statfs *into) {
    REAL(int, "fstatfs", int, struct statfs *);
    if (is_faulty("statfs", file, NULL)) return -1;
    return real(file, into);
}

int lstat(const char *path, struct stat *into) {
    REAL(int, "lstat", const char *, struct stat *);
    if (is_faulty("stat", AT_FDCWD, path)) return -1;
    int result = real(path, into);
    if (result == 0) set_clocks(AT_FDCWD, path, into);
    return result;
}

int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, mode_t);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (is_barred(AT_FDCWD, path, (unsigned)flags)) return -1;
    const char *mounts = getenv("FAIL_MOUNTS");
    if (mounts && !strcmp(path, "/proc/self/mountinfo")) {
        int file = real(mounts, flags, mode);
        if (file >= 0) return file;
    }
    return real(path, flags, mode);
}

int openat(int directory, const char *name, int flags, ...) {
    REAL(int, "openat", int, const char *, int, mode_t);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (is_barred(directory, name, (unsigned)flags)) return -1;
    return real(directory, name, flags, mode);
}

ssize_t pread(int file, void *into, size_t size, off_t offset) {
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    if (is_faulty("read", file, NULL)) return -1;
    return real(file, into, size, offset);
}

off_t lseek(int file, off_t offset, int whence) {
    REAL(off_t, "lseek", int, off_t, int);
    if (is_faulty("lseek", file, NULL)) return -1;
    return real(file, offset, whence);
}

ssize_t write(int file, const void *from, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (is_faulty("write", file, NULL)) return -1;
    return real(file, from, size);
}

int fsync(int file) {
    REAL(int, "fsync", int);
    if (is_faulty("fsync", file, NULL)) return -1;
    return real(file);
}

int fcntl(int file, int command, ...) {
    REAL(int, "fcntl", int, int, long);
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    if (command == F_SETLEASE && is_faulty("lease", file, NULL)) return -1;
    return real(file, command, argument);
}

int name_to_handle_at(int directory, const char *name, struct file_handle *handle, int *mount,
                      int flags) {
    REAL(int, "name_to_handle_at", int, const char *, struct file_handle *, int *, int);
    if (is_faulty("handle", directory, name)) return -1;
    return real(directory, name, handle, mount, flags);
}

int statx(int directory, const char *restrict name, int flags, unsigned mask,
          struct statx *restrict into) {
    REAL(int, "statx", int, const char *, int, unsigned, struct statx *);
    if (is_faulty("statx", directory, name)) return -1;
    int result = real(directory, name, flags, mask, into);
    long shift, tick;
    if (result == 0 && has_clock(directory, name, &shift, &tick)) {
        long seconds = into->stx_btime.tv_sec, nanoseconds = into->stx_btime.tv_nsec;
        set_clock(&seconds, &nanoseconds, shift, tick);
        into->stx_btime.tv_sec = seconds;
        into->stx_btime.tv_nsec = (unsigned)nanoseconds;
    }
    return result;
}

// openat2(2) and getdents64(2) have no wrapper that everybody has.
long syscall(long number, ...) {
    REAL(long, "syscall", long, long, long, long, long, long, long);
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_openat2 &&
        is_barred((int)a, (const char *)b, ((const struct open_how *)c)->flags))
        return -1;
    if (number == SYS_getdents64 && is_faulty("getdents", (int)a, NULL)) return -1;
    return real(number, a, b, c, d, e, f);
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    REAL(int, "gettimeofday", struct timeval *, void *);
    int result = real(time, zone);
    const char *path = getenv("CLOCK_AHEAD");
    if (result || !path) return result;
    char text[32] = {0};
    int saved = errno;
    long file = real_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (file >= 0) {
        real_syscall(SYS_read, file, (long)text, sizeof text - 1, 0);
        real_syscall(SYS_close, file, 0, 0, 0);
        time->tv_sec += atol(text);
    }
    errno = saved;
    return result;
}
