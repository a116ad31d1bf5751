// Takes malloc's place in the program that it is linked into, counts, and hands on to glibc's own functions.
#include "CAllocationCount.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local uint64_t count;
static _Thread_local uint64_t bytes;

uint64_t allocation_count(void) { return count; }
uint64_t allocation_bytes(void) { return bytes; }

#ifdef __GLIBC__

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void note(size_t size) {
    count += 1;
    bytes += size;
}

bool allocation_is_counted(void) { return true; }

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    note(size);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    note(size);
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

#else

bool allocation_is_counted(void) { return false; }

#endif
