// Counts what the calling thread allocates on the heap, for tests. Linked into an executable this
// replaces malloc and its like for the whole process.
#pragma once
#include <stdint.h>

// Starts counting on this thread, from 0.
void allocation_counter_start(void);

// Ends counting on this thread. The allocations since start; a realloc counts as one.
uint64_t allocation_counter_stop(void);

// Allocates and frees `count` times, so that a test can prove that the counter sees it.
void allocation_counter_probe(int count);
