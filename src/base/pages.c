#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

flaw_status flaw_pages_reserve(flaw_pages *out, size_t size, flaw_error *err)
{
    void *data = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) return flaw_fail(err, FLAW_NO_MEMORY, "no address space of %zu bytes", size);
    *out = (flaw_pages){.data = data, .size = size ? size : 1};
    return FLAW_OK;
}

void flaw_pages_give_back(const flaw_pages *pages, void *at, size_t size)
{
    if (!pages->data) return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), base = (uintptr_t)pages->data;
    uintptr_t first = ((uintptr_t)at - base + page - 1) / page * page, end = ((uintptr_t)at - base + size) / page * page;
    if (end <= first) return;
    unsigned char *from = (unsigned char *)pages->data + first;
    madvise(from, end - first, MADV_DONTNEED);
    mprotect(from, end - first, PROT_NONE);
}

void flaw_pages_release(flaw_pages *pages)
{
    if (pages->data) munmap(pages->data, pages->size);
    *pages = (flaw_pages){0};
}
