#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Allocations of the calling thread so far: malloc, calloc, realloc and their aligned forms.
uint64_t allocation_count(void);

/// Bytes that they asked for.
uint64_t allocation_bytes(void);

/// Whether allocations are counted here at all: with glibc alone.
bool allocation_is_counted(void);
