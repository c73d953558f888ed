/*
 * Random bytes for build scripts that are the same each time, by LD_PRELOAD: `reproducibly` beside this file.
 *
 * The order of a Rust HashMap follows from random bytes. The build script of promql-parser writes such a map out, so
 * that two builds would differ by it. Whatever is not a build script gets the kernel's random bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* How Cargo calls every build script. */
static const char BUILD_SCRIPT[] = "build-script-";

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
    if (strncmp(program_invocation_short_name, BUILD_SCRIPT, strlen(BUILD_SCRIPT)) != 0)
        return syscall(SYS_getrandom, buffer, length, flags);
    memset(buffer, 0, length);
    return (ssize_t)length;
}
