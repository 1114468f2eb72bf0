// Counts what the calling thread allocates on the heap, for tests. Linked into an executable this
// replaces malloc and its like for the whole process.
#pragma once
#include <stdint.h>

// Starts counting on this thread, from 0.
void allocation_counter_start(void);

// Ends counting on this thread. The allocations since start; a realloc counts as one.
uint64_t allocation_counter_stop(void);

// The allocations since start, while counting goes on or after it.
uint64_t allocation_counter_value(void);

// Counts apart, in every thread, what librdkafka's own code allocates. 0 when it is not loaded as a
// shared library. To be called before any thread counts.
int allocation_counter_set_client_apart(void);

// Those since start that librdkafka asked for; they are in no other count.
uint64_t allocation_counter_client_value(void);

// Bytes of what this thread has allocated since start and not freed again, as they were when it was
// stopped; less those of older blocks that it freed meanwhile.
int64_t allocation_counter_held(void);

// Allocates and frees `count` times, so that a test can prove that the counter sees it.
void allocation_counter_probe(int count);
