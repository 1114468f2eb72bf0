#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ctestproxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    produce = 0,
    metadata = 3,
    most_links = 64,
    // Requests of one connection that wait for their answers; librdkafka has some dozens.
    most_waiting = 4096,
    most_bytes = 1 << 18
};

// One way of a connection: bytes that came and were not handed on yet, and where in the row of
// frames they stand. A frame is its length in 4 bytes, and so many bytes.
struct way {
    unsigned char bytes[most_bytes];
    size_t count;
    unsigned char head[6];
    size_t in_head;
    size_t left;
    int is_dropped;
    // Bytes of the frame after which the connection ends; 0 is never.
    size_t cut_after;
};

struct link {
    int client, broker;
    struct way up, down;
    // What the requests were that are not answered, in order: a broker answers in order.
    int16_t waiting[most_waiting];
    size_t first, end;
    int is_over;
};

struct ctest_proxy {
    pthread_mutex_t lock;
    pthread_t thread;
    int listener, bell;
    uint16_t target;
    int is_stopped, is_reset, loses_metadata;
    int requests_to_cut, answers_to_cut;
    int64_t cut, lost;
    // The thread's own.
    struct link *links[most_links];
};

static void close_with_reset(int fd) {
    struct linger none = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

// A counter that somebody else may set, taken down by one; 0 when there is nothing to take.
static int take(struct ctest_proxy *proxy, int *count) {
    pthread_mutex_lock(&proxy->lock);
    int is_taken = *count > 0;
    if (is_taken) {
        --*count;
        ++proxy->cut;
    }
    pthread_mutex_unlock(&proxy->lock);
    return is_taken;
}

static size_t length_of(const unsigned char *head) {
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

static void append(struct way *way, const unsigned char *bytes, size_t count) {
    memcpy(way->bytes + way->count, bytes, count);
    way->count += count;
}

// A request's length, and which it is.
static void begin_request(struct ctest_proxy *proxy, struct link *link, struct way *way) {
    size_t length = length_of(way->head);
    int16_t key = (int16_t)(way->head[4] << 8 | way->head[5]);
    if (link->end - link->first >= most_waiting || length < 2) link->is_over = 1;
    link->waiting[link->end++ % most_waiting] = key;
    way->left = length - 2;
    way->cut_after = key == produce && take(proxy, &proxy->requests_to_cut) ? way->left / 2 : 0;
    append(way, way->head, 6);
}

// An answer's length; to which request it is, is known.
static void begin_answer(struct ctest_proxy *proxy, struct link *link, struct way *way) {
    int16_t key = link->first == link->end ? -1 : link->waiting[link->first++ % most_waiting];
    way->left = length_of(way->head);
    if (key == produce && take(proxy, &proxy->answers_to_cut)) link->is_over = 1;
    pthread_mutex_lock(&proxy->lock);
    way->is_dropped = key == metadata && proxy->loses_metadata;
    if (way->is_dropped) ++proxy->lost;
    pthread_mutex_unlock(&proxy->lock);
    if (!way->is_dropped) append(way, way->head, 4);
}

static void follow(struct ctest_proxy *proxy, struct link *link, int is_up,
                   const unsigned char *bytes, size_t count) {
    struct way *way = is_up ? &link->up : &link->down;
    size_t head = is_up ? 6 : 4;
    while (count > 0 && !link->is_over) {
        if (way->left == 0) {
            way->head[way->in_head++] = *bytes++;
            --count;
            if (way->in_head < head) continue;
            way->in_head = 0;
            if (is_up) begin_request(proxy, link, way);
            else begin_answer(proxy, link, way);
            continue;
        }
        size_t piece = count < way->left ? count : way->left;
        if (way->cut_after > 0 && piece >= way->cut_after) {
            piece = way->cut_after;
            link->is_over = 1;
        } else if (way->cut_after > 0) {
            way->cut_after -= piece;
        }
        if (!way->is_dropped) append(way, bytes, piece);
        way->left -= piece;
        bytes += piece;
        count -= piece;
    }
}

static void hand_on(struct link *link, struct way *way, int to) {
    if (way->count == 0) return;
    ssize_t sent = send(to, way->bytes, way->count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) link->is_over = 1;
    if (sent <= 0) return;
    way->count -= (size_t)sent;
    memmove(way->bytes, way->bytes + sent, way->count);
}

// Room for a head that was kept back, beside what is read.
static int has_room(const struct way *way) { return way->count + 16 < most_bytes / 2; }

static void move(struct ctest_proxy *proxy, struct link *link, int is_up, short happened) {
    struct way *way = is_up ? &link->up : &link->down;
    int from = is_up ? link->client : link->broker;
    int to = is_up ? link->broker : link->client;
    if (happened & (POLLIN | POLLHUP | POLLERR) && has_room(way)) {
        unsigned char page[most_bytes / 2];
        ssize_t count = recv(from, page, sizeof page, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) link->is_over = 1;
        if (count > 0) follow(proxy, link, is_up, page, (size_t)count);
    }
    hand_on(link, way, to);
}

static void end_link(struct link *link) {
    close_with_reset(link->client);
    close_with_reset(link->broker);
    free(link);
}

static void take_client(struct ctest_proxy *proxy) {
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) return;
    int place = 0;
    while (place < most_links && proxy->links[place]) place++;
    struct link *link = place < most_links ? calloc(1, sizeof *link) : NULL;
    int broker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_lock(&proxy->lock);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(proxy->target)};
    pthread_mutex_unlock(&proxy->lock);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!link || broker < 0 || connect(broker, (struct sockaddr *)&to, sizeof to) != 0) {
        close_with_reset(client);
        if (broker >= 0) close(broker);
        free(link);
        return;
    }
    int yes = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(broker, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    link->client = client;
    link->broker = broker;
    proxy->links[place] = link;
}

// What there is to wait for of a way: bytes, or room for those that wait.
static void want(struct pollfd *from, struct pollfd *to, const struct way *way) {
    if (has_room(way)) from->events |= POLLIN;
    if (way->count > 0) to->events |= POLLOUT;
}

static void *serve(void *argument) {
    struct ctest_proxy *proxy = argument;
    for (;;) {
        struct pollfd polls[2 + 2 * most_links] = {
            {.fd = proxy->listener, .events = POLLIN}, {.fd = proxy->bell, .events = POLLIN}};
        for (int i = 0; i < most_links; i++) {
            struct pollfd *client = &polls[2 + 2 * i], *broker = client + 1;
            struct link *link = proxy->links[i];
            *client = (struct pollfd){.fd = link ? link->client : -1};
            *broker = (struct pollfd){.fd = link ? link->broker : -1};
            if (!link) continue;
            want(client, broker, &link->up);
            want(broker, client, &link->down);
        }
        if (poll(polls, 2 + 2 * most_links, -1) < 0 && errno != EINTR) return NULL;
        if (polls[1].revents) {
            uint64_t rings;
            if (read(proxy->bell, &rings, sizeof rings) < 0 && errno != EAGAIN) return NULL;
        }
        pthread_mutex_lock(&proxy->lock);
        int is_stopped = proxy->is_stopped, is_reset = proxy->is_reset;
        proxy->is_reset = 0;
        pthread_mutex_unlock(&proxy->lock);
        for (int i = 0; i < most_links; i++) {
            struct link *link = proxy->links[i];
            if (!link) continue;
            if (!is_reset && !is_stopped) {
                move(proxy, link, 1, polls[2 + 2 * i].revents);
                move(proxy, link, 0, polls[3 + 2 * i].revents);
            }
            if (!is_reset && !is_stopped && !link->is_over) continue;
            end_link(link);
            proxy->links[i] = NULL;
        }
        if (is_stopped) return NULL;
        if (polls[0].revents) take_client(proxy);
    }
}

struct ctest_proxy *ctest_proxy_start(uint16_t target, uint16_t *port) {
    struct ctest_proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy) return NULL;
    pthread_mutex_init(&proxy->lock, NULL);
    proxy->target = target;
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    proxy->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (proxy->listener >= 0 && proxy->bell >= 0
        && bind(proxy->listener, (struct sockaddr *)&at, size) == 0
        && listen(proxy->listener, 64) == 0
        && getsockname(proxy->listener, (struct sockaddr *)&at, &size) == 0) {
        *port = ntohs(at.sin_port);
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        int code = pthread_create(&proxy->thread, NULL, serve, proxy);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (code == 0) return proxy;
        errno = code;
    }
    int code = errno;
    if (proxy->listener >= 0) close(proxy->listener);
    if (proxy->bell >= 0) close(proxy->bell);
    free(proxy);
    errno = code;
    return NULL;
}

static void ring(struct ctest_proxy *proxy) {
    uint64_t one = 1;
    // It fails when it has been rung 2^64 times and nobody came.
    ssize_t written = write(proxy->bell, &one, sizeof one);
    (void)written;
}

static void set(struct ctest_proxy *proxy, int *field, int value) {
    pthread_mutex_lock(&proxy->lock);
    *field = value;
    pthread_mutex_unlock(&proxy->lock);
    ring(proxy);
}

void ctest_proxy_stop(struct ctest_proxy *proxy) {
    set(proxy, &proxy->is_stopped, 1);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    close(proxy->bell);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

void ctest_proxy_lead(struct ctest_proxy *proxy, uint16_t target) {
    pthread_mutex_lock(&proxy->lock);
    proxy->target = target;
    pthread_mutex_unlock(&proxy->lock);
}

void ctest_proxy_reset(struct ctest_proxy *proxy) { set(proxy, &proxy->is_reset, 1); }

void ctest_proxy_cut_requests(struct ctest_proxy *proxy, int count) {
    set(proxy, &proxy->requests_to_cut, count);
}

void ctest_proxy_cut_answers(struct ctest_proxy *proxy, int count) {
    set(proxy, &proxy->answers_to_cut, count);
}

void ctest_proxy_lose_metadata(struct ctest_proxy *proxy, int is_lost) {
    set(proxy, &proxy->loses_metadata, is_lost);
}

void ctest_proxy_counts(struct ctest_proxy *proxy, int64_t *cut, int64_t *lost) {
    pthread_mutex_lock(&proxy->lock);
    *cut = proxy->cut;
    *lost = proxy->lost;
    pthread_mutex_unlock(&proxy->lock);
}
