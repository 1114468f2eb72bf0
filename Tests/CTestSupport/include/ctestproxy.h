// A server on a port of 127.0.0.1 that hands on what clients of Kafka send to a broker on another
// port, and what that answers, until it is told to harm them. One thread of its own serves it; any
// thread may call these.
#pragma once
#include <stdint.h>

struct ctest_proxy;

// Listens on a free port, which becomes `*port`. NULL with errno.
struct ctest_proxy *ctest_proxy_start(uint16_t target, uint16_t *port);

// Ends it with all of its connections.
void ctest_proxy_stop(struct ctest_proxy *proxy);

// Connections that are made from now on lead to this port.
void ctest_proxy_lead(struct ctest_proxy *proxy, uint16_t target);

// Resets all connections, on both sides.
void ctest_proxy_reset(struct ctest_proxy *proxy);

// Of so many produce requests, the next ones, the broker gets a half; then their connections are
// reset.
void ctest_proxy_cut_requests(struct ctest_proxy *proxy, int count);

// So many produce requests, the next ones, are answered, and in place of the answer comes the
// connection's reset.
void ctest_proxy_cut_answers(struct ctest_proxy *proxy, int count);

// Whether answers to requests for metadata are lost from now on, and nothing else.
void ctest_proxy_lose_metadata(struct ctest_proxy *proxy, int is_lost);

// Of the requests and answers that were to be cut, how many were; answers that were lost.
void ctest_proxy_counts(struct ctest_proxy *proxy, int64_t *cut, int64_t *lost);
