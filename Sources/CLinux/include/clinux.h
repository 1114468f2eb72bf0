// Linux calls that Glibc's Swift module does not offer: variadic or newer than the oldest libc we
// build against. Each returns what the system call returns, -1 with errno set on failure.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static inline int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags;
    how.resolve = resolve;
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// The magic number of the file system that an open file lies on; -1: errno.
static inline int64_t clinux_file_system(int fd) {
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) return -1;
    return (int64_t)(uint32_t)fs.f_type;
}

static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

// O_NOATIME, which Glibc's module leaves out.
static const int clinux_no_access_time = O_NOATIME;

static inline int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

static inline int clinux_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }

// Birth time of an open file in nanoseconds since 1970. 1: *birth is set; 0: not kept here; -1: errno.
static inline int clinux_birth(int fd, int64_t *birth) {
    struct statx sx;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BTIME, &sx) != 0) return -1;
    if (!(sx.stx_mask & STATX_BTIME)) return 0;
    // A year that nanoseconds have no room for is none that a file was born in.
    if (__builtin_mul_overflow((int64_t)sx.stx_btime.tv_sec, (int64_t)1000000000, birth)) return 0;
    return !__builtin_add_overflow(*birth, (int64_t)sx.stx_btime.tv_nsec, birth);
}

// File handle of an open file: the type as 4 bytes big endian, then the handle. Bytes used, or -1.
static inline int clinux_handle(int fd, uint8_t *into, int capacity) {
    union {
        struct file_handle handle;
        unsigned char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } u;
    int mount = 0;
    memset(&u, 0, sizeof u);
    u.handle.handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(fd, "", &u.handle, &mount, AT_EMPTY_PATH) != 0) return -1;
    int n = (int)u.handle.handle_bytes + 4;
    if (n > capacity) {
        errno = EOVERFLOW;
        return -1;
    }
    uint32_t type = (uint32_t)u.handle.handle_type;
    into[0] = (uint8_t)(type >> 24), into[1] = (uint8_t)(type >> 16), into[2] = (uint8_t)(type >> 8), into[3] = (uint8_t)type;
    memcpy(into + 4, u.handle.f_handle, u.handle.handle_bytes);
    return n;
}

// The file of such a handle, on the file system that `mount` lies on, as a place (O_PATH). -1: EPERM without
// CAP_DAC_READ_SEARCH, ESTALE where the file is no more.
static inline int clinux_open_handle(int mount, const uint8_t *bytes, int count) {
    union {
        struct file_handle handle;
        unsigned char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } u;
    if (count < 4 || count - 4 > MAX_HANDLE_SZ) {
        errno = EINVAL;
        return -1;
    }
    memset(&u, 0, sizeof u);
    u.handle.handle_bytes = (unsigned)(count - 4);
    u.handle.handle_type = (int)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                 (uint32_t)bytes[2] << 8 | bytes[3]);
    memcpy(u.handle.f_handle, bytes + 4, (size_t)(count - 4));
    return open_by_handle_at(mount, &u.handle, O_PATH | O_CLOEXEC);
}

// The kernel keeps 15 bytes of a thread's name; what is longer is cut here.
static inline void clinux_name_thread(const char *name) {
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    pthread_setname_np(pthread_self(), cut);
}

// st_dev of a device by its two numbers.
static inline uint64_t clinux_device(uint32_t major, uint32_t minor) {
    return makedev(major, minor);
}

// Waits for a thread's end until a time of the monotonic clock; 0, ETIMEDOUT or another errno.
static inline int clinux_join(pthread_t thread, int64_t until) {
    struct timespec time = {until / 1000000000, until % 1000000000};
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &time);
}

// IN_ONESHOT is 1u << 31, which the importer takes for a negative int.
static const uint32_t clinux_in_oneshot = 0x80000000u;

static inline int clinux_inotify(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

// Both ends, reading and writing, closed by exec.
static inline int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// fallocate(2): a hole where bytes were, and what is left moved to the front.
static inline int clinux_punch(int fd, int64_t offset, int64_t count) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

static inline int clinux_collapse(int fd, int64_t count) {
    return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, count);
}

// renameat2(2) within one directory that replaces nothing (RENAME_NOREPLACE).
static inline int clinux_rename_new(int directory, const char *old, const char *name) {
    return (int)syscall(SYS_renameat2, directory, old, directory, name, 1u);
}

static inline int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

// ppoll without a signal mask; nanoseconds < 0 waits for ever.
static inline int clinux_poll(struct pollfd *polled, nfds_t count, int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(polled, count, nanoseconds < 0 ? NULL : &time, NULL);
}

// Records of a directory, as many as fit; 0 at its end.
static inline long clinux_getdents(int directory, void *records, size_t size) {
    return syscall(SYS_getdents64, directory, records, size);
}

// Opens a converter to UTF-8; NULL: there is none.
static inline void *clinux_iconv_open(const char *from) {
    iconv_t converter = iconv_open("UTF-8", from);
    return converter == (iconv_t)-1 ? NULL : (void *)converter;
}

static inline void clinux_iconv_close(void *converter) { iconv_close((iconv_t)converter); }

// Converts bytes that begin in the initial state. 0: all of them; 1: no more room; 2: the next one begins
// no character; 3: the last ones are not all of one. What was read and written is told in any case.
static inline int clinux_iconv(void *converter, const uint8_t *bytes, size_t count, uint8_t *into, size_t room,
                               size_t *read, size_t *written) {
    char *in = (char *)bytes, *out = (char *)into;
    size_t left = count, free = room;
    iconv((iconv_t)converter, NULL, NULL, NULL, NULL);
    size_t result = iconv((iconv_t)converter, &in, &left, &out, &free);
    int code = result != (size_t)-1 ? 0 : errno == E2BIG ? 1 : errno == EINVAL ? 3 : 2;
    // A character may wait for what combines with it.
    if (code == 0 && iconv((iconv_t)converter, NULL, NULL, &out, &free) == (size_t)-1) code = 1;
    *read = count - left;
    *written = room - free;
    return code;
}
