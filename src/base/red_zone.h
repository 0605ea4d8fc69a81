/* Red zones for AddressSanitizer builds: memory an arena holds but has not handed out counts as forbidden there.
 * In other builds these are nothing. */
#ifndef FLAW_BASE_RED_ZONE_H
#define FLAW_BASE_RED_ZONE_H

#if defined(__SANITIZE_ADDRESS__)
#define FLAW_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAW_ASAN 1
#endif
#endif

#ifdef FLAW_ASAN
#include <sanitizer/asan_interface.h>
#define FLAW_RED_ZONE 64 /* bytes kept free behind every block */
#define flaw_forbid(at, size) __asan_poison_memory_region(at, size)
#define flaw_permit(at, size) __asan_unpoison_memory_region(at, size)
#else
#define FLAW_RED_ZONE 0
#define flaw_forbid(at, size) ((void)(at), (void)(size))
#define flaw_permit(at, size) ((void)(at), (void)(size))
#endif

#endif
