// What tests need of the kernel and Swift cannot call: fork with work between it and exec, waiting
// for a process with a deadline, removing a tree.
#pragma once
#include <stdint.h>
#include <sys/types.h>

// Starts `path` with `in`, `out` and `err` as its descriptors 0, 1 and 2, in a process group of its
// own, in `directory` unless that is NULL. No other descriptor is inherited; signal mask and actions
// are the default ones. It gets SIGKILL when this process ends, however that ends.
// Its process id, `*pidfd` set; or -1 with errno, which is exec's own if exec failed.
pid_t ctest_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                  int in, int out, int err, int *pidfd);

// Between these no child is forked: a file that is opened and closed in between is open in none.
// A thread begins once before it ends.
void ctest_begin_writing(void);
void ctest_end_writing(void);

// Waits until a process ended, as long as `milliseconds`. 1: it ended; 0: not in time; -1: errno.
int ctest_wait_ended(int pidfd, int64_t milliseconds);

// Takes the status of a process that ended. `*code` is its exit code or the signal that killed it,
// `*signalled` tells which. CPU time in microseconds, peak memory in bytes. 0, or -1 with errno.
int ctest_reap(pid_t pid, int *code, int *signalled, int64_t *cpu_microseconds, int64_t *peak_bytes);

// Waits until `fd` can be written, as long as `milliseconds`. 1: it can, 0: not in time, -1: errno.
int ctest_wait_writable(int fd, int milliseconds);

// Removes a directory with everything in it, following no link. 0, or -1 with errno.
int ctest_remove_tree(const char *path);

// renameat2(2) with RENAME_EXCHANGE. 0, or -1 with errno.
int ctest_exchange(const char *one, const char *other);

// Gives this thread mounts of its own, which end with it. 0, or -1 with errno.
int ctest_private_mounts(void);

// Mounts a tmpfs of so many bytes. 0, or -1 with errno.
int ctest_mount_tmpfs(const char *path, int64_t bytes);

// Lets a directory lead to another one, on the calling thread's mounts. 0, or -1 with errno.
int ctest_mount_bind(const char *source, const char *path);

// Mounts what lies in `upper` and `lower`, with `work` for the kernel, as a file system of its own, which has another
// device number each time while an earlier one is there. 0, or -1 with errno.
int ctest_mount_overlay(const char *lower, const char *upper, const char *work, const char *path);

// Takes away what is mounted there, also while it is used. 0, or -1 with errno.
int ctest_unmount(const char *path);

// Makes this process act as another user, or with 0 as root again. 0, or -1 with errno.
int ctest_act_as(unsigned user);

// Whether a pseudo-terminal can be made and opened: 1 or 0.
int ctest_has_terminals(void);

// The one way in which a test lets time pass: between two looks at a condition.
void ctest_pause(int64_t nanoseconds);

// Writing to a pipe that nobody reads any more gives EPIPE instead of a signal.
void ctest_ignore_sigpipe(void);

// Takes a free port of 127.0.0.1 and returns the socket that keeps it, or -1 with errno. While that is
// open the kernel gives the port to nobody who asks for any, and a server that names it can listen
// there, as often as it likes, if it sets SO_REUSEADDR.
int ctest_reserve_port(uint16_t *port);

// pipe2(2) with O_CLOEXEC.
int ctest_pipe(int ends[2]);

// Writes to standard error.
void ctest_complain(const char *text);
