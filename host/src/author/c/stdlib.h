/* What the generated bindings need of <stdlib.h>. */
#pragma once
#include <stddef.h>

void *malloc(size_t size);
void *realloc(void *old, size_t size);
void free(void *pointer);
_Noreturn void abort(void);
