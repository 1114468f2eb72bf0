#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ctestsupport.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// PR_SET_PDEATHSIG fires when the *thread* that forked ends, not the process, and the threads that
// run tests come and go. So one thread, which lives as long as the process, starts all children.
struct request {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;
    int in, out, err;
    pid_t pid;
    int error;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static sem_t asked, answered;
static struct request *current;
static int no_thread;

// A child between fork and exec has all that this process has open. Who asks the kernel whether
// somebody writes to a file would hear of a test's descriptor that is closed by then.
static pthread_rwlock_t writing = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void ctest_begin_writing(void) { pthread_rwlock_rdlock(&writing); }
void ctest_end_writing(void) { pthread_rwlock_unlock(&writing); }

static void fail(int pipe_end) {
    int code = errno;
    ssize_t written = write(pipe_end, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

// Between fork and exec: only calls that are safe after fork in a process with threads.
static void child(const struct request *r, pid_t parent, int pipe_end) {
    if (setpgid(0, 0) != 0) fail(pipe_end);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(pipe_end);
    if (getppid() != parent) _exit(125);  // it died before the line above

    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);  // refused for SIGKILL, SIGSTOP and libc's own
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    // First away from 0, 1 and 2, so that no dup2 below closes what another one still needs.
    int from[3] = {r->in, r->out, r->err};
    for (int i = 0; i < 3; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
        if (from[i] < 0) fail(pipe_end);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0) fail(pipe_end);
    // Libraries in this process may open descriptors without O_CLOEXEC. (4: CLOSE_RANGE_CLOEXEC)
    if (syscall(SYS_close_range, 3u, ~0u, 4u) != 0 && errno != ENOSYS && errno != EINVAL)
        fail(pipe_end);

    if (r->directory && chdir(r->directory) != 0) fail(pipe_end);
    execve(r->path, r->argv, r->envp);
    fail(pipe_end);
}

static pid_t spawn_here(const struct request *r) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    pthread_rwlock_wrlock(&writing);
    pid_t pid = fork();
    if (pid != 0) pthread_rwlock_unlock(&writing);
    if (pid == 0) child(r, parent, ends[1]);
    int code = errno;
    close(ends[1]);
    if (pid > 0) {
        int sent = 0;
        ssize_t n;
        do n = read(ends[0], &sent, sizeof sent);
        while (n < 0 && errno == EINTR);
        if (n == sizeof sent) {
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
            pid = -1;
            code = sent;
        }
    }
    close(ends[0]);
    errno = code;
    return pid;
}

static void *serve(void *unused) {
    (void)unused;
    for (;;) {
        while (sem_wait(&asked) != 0) {}
        current->pid = spawn_here(current);
        current->error = errno;
        sem_post(&answered);
    }
    return NULL;
}

static void start(void) {
    sem_init(&asked, 0, 0);
    sem_init(&answered, 0, 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_t thread;
    no_thread = pthread_create(&thread, NULL, serve, NULL);
    if (no_thread == 0) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

pid_t ctest_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                  int in, int out, int err, int *pidfd) {
    pthread_once(&once, start);
    if (no_thread != 0) {
        errno = no_thread;
        return -1;
    }
    struct request r = {path, argv, envp, directory, in, out, err, -1, 0};
    pthread_mutex_lock(&gate);
    current = &r;
    sem_post(&asked);
    while (sem_wait(&answered) != 0) {}
    pthread_mutex_unlock(&gate);
    if (r.pid > 0) {
        *pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
        if (*pidfd < 0) {
            r.error = errno;
            kill(r.pid, SIGKILL);
            while (waitpid(r.pid, NULL, 0) < 0 && errno == EINTR) {}
            r.pid = -1;
        }
    }
    errno = r.error;
    return r.pid;
}

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t milliseconds) {
    int64_t end = now_milliseconds() + milliseconds;
    for (;;) {
        int64_t left = end - now_milliseconds();
        struct pollfd one = {fd, events, 0};
        int n = poll(&one, 1, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0 && left > 0) continue;
        return n;
    }
}

int ctest_wait_ended(int pidfd, int64_t milliseconds) { return wait_for(pidfd, POLLIN, milliseconds); }

int ctest_wait_writable(int fd, int milliseconds) { return wait_for(fd, POLLOUT, milliseconds); }

int ctest_reap(pid_t pid, int *code, int *signalled, int64_t *cpu_microseconds, int64_t *peak_bytes) {
    int status = 0;
    struct rusage used;
    pid_t got;
    do got = wait4(pid, &status, 0, &used);
    while (got < 0 && errno == EINTR);
    if (got != pid) return -1;
    *signalled = WIFSIGNALED(status);
    *code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    *cpu_microseconds = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                        used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    *peak_bytes = (int64_t)used.ru_maxrss * 1024;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    // Something that a child takes away while the tree is removed is gone as wished.
    return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

int ctest_remove_tree(const char *path) {
    // A process that is just dying may add a file between the look and the rmdir: look again.
    int result = -1;
    for (int attempt = 0; attempt < 5; attempt++) {
        result = nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
        if (result == 0 || (errno != ENOTEMPTY && errno != EEXIST)) break;
    }
    return result;
}

int ctest_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int ctest_private_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) {
        return -1;
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int ctest_mount_tmpfs(const char *path, int64_t bytes) {
    char options[64];
    snprintf(options, sizeof options, "size=%lld,mode=0700", (long long)bytes);
    return mount("tmpfs", path, "tmpfs", 0, options);
}

int ctest_mount_bind(const char *source, const char *path) {
    return mount(source, path, NULL, MS_BIND, NULL);
}

int ctest_mount_overlay(const char *lower, const char *upper, const char *work, const char *path) {
    char options[3 * PATH_MAX + 64];
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
    return mount("overlay", path, "overlay", 0, options);
}

int ctest_unmount(const char *path) {
    return umount2(path, MNT_DETACH);
}

int ctest_act_as(unsigned user) {
    return seteuid(user);
}

int ctest_has_terminals(void) {
    char name[PATH_MAX];
    int has = 0;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0)
        return 0;
    if (grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, name, sizeof name) == 0) {
        int terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        has = terminal >= 0;
        if (has)
            close(terminal);
    }
    close(master);
    return has;
}

void ctest_pause(int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

void ctest_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

int ctest_reserve_port(uint16_t *port) {
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0) return -1;
    if (setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(number, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(number, (struct sockaddr *)&address, &length) != 0) {
        int code = errno;
        close(number);
        errno = code;
        return -1;
    }
    *port = ntohs(address.sin_port);
    return number;
}

int ctest_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void ctest_complain(const char *text) { fputs(text, stderr); }
