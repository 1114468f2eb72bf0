#pragma once
#include <fcntl.h>
#include <microhttpd.h>

// Swift cannot call functions with variable arguments: each of these is one of them.

// A daemon that is driven by MHD_run, with an epoll descriptor to wait on. It owns `listening`.
static inline struct MHD_Daemon *cmicrohttpd_start(
    int listening, unsigned connections, size_t memory,
    MHD_AccessHandlerCallback handle, MHD_NotifyConnectionCallback notify, void *context) {
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, context,
        MHD_OPTION_LISTEN_SOCKET, listening,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
        MHD_OPTION_NOTIFY_CONNECTION, notify, context,
        MHD_OPTION_END);
}

// A second descriptor of the daemon's epoll instance, or -1 with errno.
static inline int cmicrohttpd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return fcntl(info ? info->epoll_fd : -1, F_DUPFD_CLOEXEC, 0);
}

// The connection's socket, or -1.
static inline int cmicrohttpd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}
