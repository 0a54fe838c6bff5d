/*
 * The part of a C library that a device needs: nothing of a system.
 *
 * Memory is for a call: what the host hands over and what it is handed is freed when the
 * call ends. So blocks follow each other, and when the last one is freed it all begins
 * anew. What a device keeps belongs into static variables.
 */
#include "stdlib.h"
#include "string.h"
#include <stdint.h>

extern unsigned char __heap_base;

#define ALIGNMENT 16
#define PAGE 65536

/* Before each block; as long as the alignment. */
typedef struct {
  size_t size;
  size_t unused[3];
} header;
_Static_assert(sizeof(header) == ALIGNMENT, "a block follows its header aligned");

static uintptr_t top;
static size_t live;

void *malloc(size_t size) {
  uintptr_t base = ((uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
  if (top == 0) top = base;
  if (size > UINT32_MAX - top - sizeof(header) - PAGE) return NULL;
  uintptr_t end = top + sizeof(header) + ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
  size_t have = __builtin_wasm_memory_size(0) * PAGE;
  if (end > have) {
    if (__builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == SIZE_MAX) return NULL;
  }
  header *block = (header *)top;
  block->size = size;
  top = end;
  live++;
  return block + 1;
}

void free(void *pointer) {
  if (pointer == NULL) return;
  if (--live == 0) top = 0;
}

void *realloc(void *old, size_t size) {
  void *new = malloc(size);
  if (old == NULL || new == NULL) return new;
  size_t before = ((header *)old - 1)->size;
  memcpy(new, old, before < size ? before : size);
  free(old);
  return new;
}

_Noreturn void abort(void) {
  __builtin_trap();
}

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *target = to;
  const unsigned char *source = from;
  while (size--) *target++ = *source++;
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *target = to;
  while (size--) *target++ = (unsigned char)byte;
  return to;
}

int memcmp(const void *one, const void *other, size_t size) {
  const unsigned char *a = one, *b = other;
  for (; size--; a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}
