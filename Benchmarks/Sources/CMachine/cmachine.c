#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cmachine.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(int pipe_end) {
    int code = errno;
    ssize_t written = write(pipe_end, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

// Between fork and exec: only calls that are safe after fork in a process with threads.
static void child(const char *path, char *const argv[], const int given[3], pid_t parent, int end) {
    if (setpgid(0, 0) != 0) fail(end);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(end);
    if (getppid() != parent) _exit(125);  // it died before the line above
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);  // refused for some, which never were changed
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    // First away from 0, 1 and 2, so that no dup2 below closes what another one still needs.
    int from[3];
    for (int i = 0; i < 3; i++) {
        from[i] = fcntl(given[i], F_DUPFD_CLOEXEC, 3);
        if (from[i] < 0) fail(end);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0) fail(end);
    // librdkafka's descriptors in this process need not be close-on-exec. (4: CLOSE_RANGE_CLOEXEC)
    if (syscall(SYS_close_range, 3u, ~0u, 4u) != 0 && errno != ENOSYS && errno != EINVAL) fail(end);
    execv(path, argv);
    fail(end);
}

pid_t cmachine_spawn(const char *path, char *const argv[], int in, int out, int err, int *pidfd) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    const int given[3] = {in, out, err};
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) child(path, argv, given, parent, ends[1]);
    int code = errno;
    close(ends[1]);
    if (pid > 0) {
        int sent = 0;
        ssize_t n;
        do n = read(ends[0], &sent, sizeof sent);
        while (n < 0 && errno == EINTR);
        if (n == sizeof sent) code = sent;
        *pidfd = n == sizeof sent ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
        if (*pidfd < 0) {
            if (n != sizeof sent) code = errno;
            kill(pid, SIGKILL);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
            pid = -1;
        } else {
            fcntl(*pidfd, F_SETFD, FD_CLOEXEC);
        }
    }
    close(ends[0]);
    errno = code;
    return pid;
}

int cmachine_wait(int pidfd, int milliseconds) {
    int64_t end = cmachine_monotonic() + (int64_t)milliseconds * 1000000;
    for (;;) {
        int64_t left = (end - cmachine_monotonic() + 999999) / 1000000;
        struct pollfd one = {pidfd, POLLIN, 0};
        int n = poll(&one, 1, left < 0 ? 0 : (int)left);
        if (n < 0 && errno == EINTR) continue;
        return n;
    }
}

int cmachine_reap(pid_t pid, struct cmachine_usage *usage) {
    int status = 0;
    struct rusage used;
    pid_t got;
    do got = wait4(pid, &status, 0, &used);
    while (got < 0 && errno == EINTR);
    if (got != pid) return -1;
    usage->signalled = WIFSIGNALED(status);
    usage->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    usage->user_seconds = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6;
    usage->system_seconds = (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec / 1e6;
    usage->peak_rss_bytes = (int64_t)used.ru_maxrss * 1024;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

int cmachine_remove(const char *path) {
    // 1. A thread makes or removes files in the tree while another takes the tree away after a
    //    signal, or a process that is just dying adds a file between the look and the rmdir.
    // 2. The walk stumbles over what vanished, or over what is new.
    // 3. So it begins again: with each walk less is left, and nothing can be made where no
    //    directory is any more.
    for (int attempt = 0; attempt < 100; attempt++) {
        if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) == 0) return 0;
        int code = errno;
        if (access(path, F_OK) != 0 && errno == ENOENT) return 0;
        errno = code;
        if (code != ENOENT && code != ENOTEMPTY && code != EEXIST) return -1;
    }
    return -1;
}

static void ending_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void cmachine_block_signals(void) {
    sigset_t set;
    ending_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int cmachine_wait_signal(void) {
    sigset_t set;
    ending_signals(&set);
    int number = 0;
    while (sigwait(&set, &number) != 0) {}
    return number;
}

int64_t cmachine_cpu(pid_t pid) {
    clockid_t clock;
    int code = clock_getcpuclockid(pid, &clock);
    struct timespec used;
    if (code == 0 && clock_gettime(clock, &used) == 0)
        return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
    if (code != 0) errno = code;
    return -1;
}

int cmachine_borrow_tcp(int pidfd, int theirs, uint64_t *inode) {
    int own = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
    if (own < 0) return -1;
    int protocol = 0;
    socklen_t length = sizeof protocol;
    struct stat status;
    if (getsockopt(own, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP &&
        fstat(own, &status) == 0) {
        *inode = status.st_ino;
        return own;
    }
    int code = errno;
    close(own);
    errno = code;
    return -1;
}

int cmachine_tcp_sent(int socket, int64_t *bytes, int64_t *segments) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    if (length < offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent) {
        errno = ENOSYS;
        return -1;
    }
    *bytes = (int64_t)info.tcpi_bytes_sent;
    *segments = info.tcpi_data_segs_out;
    return 0;
}

int64_t cmachine_monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void cmachine_sleep_until(int64_t monotonic) {
    struct timespec time = {monotonic / 1000000000, monotonic % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {}
}

void cmachine_precise_sleep(void) { prctl(PR_SET_TIMERSLACK, 1); }

int64_t cmachine_find(const void *bytes, size_t count, const char *string) {
    const char *found = count ? memmem(bytes, count, string, strlen(string)) : NULL;
    return found ? found - (const char *)bytes : -1;
}

int cmachine_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int cmachine_open(const char *path, int flags, mode_t mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

const char *cmachine_variable(const char *name) { return getenv(name); }
