#define _GNU_SOURCE
#include "allocation_counter.h"
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>

// The C library's own, under names that this file does not replace.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Thread_local int counting;
static _Thread_local uint64_t allocations;
static _Thread_local uint64_t client_allocations;
static _Thread_local int64_t held;

// The code of librdkafka, whose calls count apart; set before any thread counts, hence unguarded.
static uintptr_t client_start, client_end;

static inline __attribute__((always_inline)) void note(void) {
    if (!counting) return;
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    if (caller >= client_start && caller < client_end) {
        client_allocations++;
    } else {
        allocations++;
    }
}

// What a block takes: with the size before it, as the C library keeps it.
static int64_t taken_by(void *block) {
    return block ? (int64_t)(malloc_usable_size(block) + sizeof(size_t)) : 0;
}

static void *got(void *block) {
    if (counting) held += taken_by(block);
    return block;
}

static void gone(void *block) {
    if (counting) held -= taken_by(block);
}

void *malloc(size_t size) {
    note();
    return got(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
    note();
    return got(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size) {
    note();
    int64_t before = counting ? taken_by(block) : 0;
    void *moved = __libc_realloc(block, size);
    // Where there is no room the old block stays.
    if (moved || size == 0) {
        if (counting) held -= before;
        return got(moved);
    }
    return moved;
}

void *memalign(size_t alignment, size_t size) {
    note();
    return got(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return got(__libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    note();
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *made = got(__libc_memalign(alignment, size));
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}

void free(void *block) {
    gone(block);
    __libc_free(block);
}

void allocation_counter_start(void) {
    allocations = 0;
    client_allocations = 0;
    held = 0;
    counting = 1;
}

uint64_t allocation_counter_stop(void) {
    counting = 0;
    return allocations;
}

uint64_t allocation_counter_value(void) { return allocations; }

uint64_t allocation_counter_client_value(void) { return client_allocations; }

int64_t allocation_counter_held(void) { return held; }

static int find(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size;
    (void)unused;
    if (!strstr(object->dlpi_name, "librdkafka")) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        client_start = object->dlpi_addr + segment->p_vaddr;
        client_end = client_start + segment->p_memsz;
        return 1;
    }
    return 0;
}

int allocation_counter_set_client_apart(void) { return dl_iterate_phdr(find, NULL); }

void allocation_counter_probe(int count) {
    // Through volatile, or the compiler drops a block that nobody reads.
    for (int i = 0; i < count; i++) {
        void *volatile block = malloc(32);
        free(block);
    }
}
