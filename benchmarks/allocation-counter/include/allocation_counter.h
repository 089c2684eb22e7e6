#pragma once
#include <stdint.h>

/// Calls of malloc and its kin by this process so far.
uint64_t allocation_count(void);
