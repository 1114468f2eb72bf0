// Runs a program under a seccomp filter, as container runtimes do:
//
//   refuse-calls CALL[,CALL...] PROGRAM [ARGUMENT...]
//
// Each CALL (name_to_handle_at, openat2, statx, inotify_init1, inotify_add_watch) fails with EPERM in the program and whatever it starts;
// all others are allowed. Needs no rights.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter has to know the architecture whose call numbers it compares"
#endif

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    {"name_to_handle_at", SYS_name_to_handle_at},
    {"openat2", SYS_openat2},
    {"statx", SYS_statx},
    {"inotify_init1", SYS_inotify_init1},
    {"inotify_add_watch", SYS_inotify_add_watch},
};

static int number_of(const char *name, unsigned *number) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, name) == 0) {
            *number = calls[i].number;
            return 1;
        }
    return 0;
}

int main(int count, char **arguments) {
    if (count < 3) {
        fprintf(stderr, "usage: refuse-calls CALL[,CALL...] PROGRAM [ARGUMENT...]\n");
        return 64;
    }
    struct sock_filter filter[32];
    unsigned short length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (char *name = strtok(arguments[1], ","); name; name = strtok(NULL, ",")) {
        unsigned number;
        if (!number_of(name, &number) || length + 3u > sizeof filter / sizeof *filter) {
            fprintf(stderr, "refuse-calls: cannot refuse %s\n", name);
            return 64;
        }
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(
            BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("refuse-calls: seccomp");
        return 71;
    }
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    return 127;
}
