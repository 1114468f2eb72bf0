// Starting and measuring other processes, and the calls that Glibc's Swift module does not offer.
#pragma once
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

struct cmachine_usage {
    double user_seconds, system_seconds;
    int64_t peak_rss_bytes;
    int code;       // exit code, or the signal's number
    int signalled;
};

// Starts a program with descriptors in, out and err as its 0, 1 and 2 and no other, in a process
// group of its own. It is killed when the calling *thread* ends, so call it on the main thread.
// -1: errno says what fork or exec refused. *pidfd can be polled for its end.
pid_t cmachine_spawn(const char *path, char *const argv[], int in, int out, int err, int *pidfd);

// 1: it has ended (and is still to be reaped); 0: not within the time; -1: errno.
int cmachine_wait(int pidfd, int milliseconds);

// What the process and its own waited-for children used; reaps it. -1: errno.
int cmachine_reap(pid_t pid, struct cmachine_usage *usage);

// Removes a file or directory with everything in it. -1: errno.
int cmachine_remove(const char *path);

// Blocks SIGINT, SIGTERM and SIGHUP in this thread and those that it starts, ignores SIGPIPE.
void cmachine_block_signals(void);

// Waits for one of them; its number.
int cmachine_wait_signal(void);

// CPU time of a process with all its threads, in nanoseconds. -1: errno.
int64_t cmachine_cpu(pid_t pid);

// The TCP socket that is descriptor `theirs` of the process, as a descriptor of our own that keeps it
// after the process has ended; *inode tells it from others. -1: it is none, or errno says what is
// refused. Linux 5.6.
int cmachine_borrow_tcp(int pidfd, int theirs, uint64_t *inode);

// What was ever sent through a TCP socket, with what was sent again: bytes, and segments that carried
// some. -1: errno. Linux 4.19.
int cmachine_tcp_sent(int socket, int64_t *bytes, int64_t *segments);

int64_t cmachine_monotonic(void);
void cmachine_sleep_until(int64_t monotonic);
// Lets the calling thread's sleeps end within microseconds of their time.
void cmachine_precise_sleep(void);

// Where a C string begins in these bytes; -1: nowhere.
int64_t cmachine_find(const void *bytes, size_t count, const char *string);

int cmachine_pipe(int ends[2]);
int cmachine_open(const char *path, int flags, mode_t mode);
const char *cmachine_variable(const char *name);
