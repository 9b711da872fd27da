/* Makes the n-th call that writes below a folder fail, over all processes of a run; preloaded by test_hostile_writes.py.

FAIL_UNDER    folders, with colons between them
FAIL_COUNTER  a file of 8 bytes that all processes share: how many calls there were
FAIL_AT       number of the call that fails, 0 for none
FAIL_ON       1 where all calls after it fail too, as on a disk that stays full
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long *counter;
static long fail_at;
static int fail_on;
static const char *under;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("FAIL_COUNTER");
    under = getenv("FAIL_UNDER");
    if (!file || !under) return;
    int handle = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR, 0);
    if (handle < 0) return;
    counter = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    if (counter == MAP_FAILED) counter = NULL;
    syscall(SYS_close, handle);
    fail_at = atol(getenv("FAIL_AT") ? getenv("FAIL_AT") : "0");
    fail_on = getenv("FAIL_ON") && *getenv("FAIL_ON") == '1';
}

static int is_below(const char *path) {
    const char *at = under;
    while (counter && path && at && *at) {
        size_t length = strcspn(at, ":");
        if (strncmp(path, at, length) == 0 && (path[length] == '/' || !path[length])) return 1;
        at += length + (at[length] == ':');
    }
    return 0;
}

static int is_open_below(int handle) {
    char name[64], path[4096];
    if (!counter) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int fails(int error) {
    long number = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    if (!fail_at || number < fail_at || (number > fail_at && !fail_on)) return 0;
    errno = error;
    return 1;
}

#define REAL(name) (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define WRITING (O_WRONLY | O_RDWR | O_CREAT)

#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...) {                               \
        va_list more;                                                           \
        va_start(more, flags);                                                  \
        mode_t mode = va_arg(more, mode_t);                                     \
        va_end(more);                                                           \
        if ((flags & WRITING) && is_below(path) && fails(ENOSPC)) return -1;    \
        return (REAL(name))(path, flags, mode);                                 \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                            \
    int name(int folder, const char *path, int flags, ...) {                   \
        va_list more;                                                           \
        va_start(more, flags);                                                  \
        mode_t mode = va_arg(more, mode_t);                                     \
        va_end(more);                                                           \
        if ((flags & WRITING) && is_below(path) && fails(ENOSPC)) return -1;    \
        return (REAL(name))(folder, path, flags, mode);                         \
    }
OPENAT(openat)
OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
    if (is_below(path) && fails(ENOSPC)) return -1;
    return (REAL(mkdir))(path, mode);
}

ssize_t write(int handle, const void *data, size_t size) {
    if (is_open_below(handle) && fails(ENOSPC)) return -1;
    return (REAL(write))(handle, data, size);
}

int fsync(int handle) {
    if (is_open_below(handle) && fails(EIO)) return -1;
    return (REAL(fsync))(handle);
}

int rename(const char *from, const char *to) {
    if (is_below(to) && fails(ENOSPC)) return -1;
    return (REAL(rename))(from, to);
}

int renameat(int folder, const char *from, int other, const char *to) {
    if (is_below(to) && fails(ENOSPC)) return -1;
    return (REAL(renameat))(folder, from, other, to);
}

int unlink(const char *path) {
    if (is_below(path) && fails(EIO)) return -1;
    return (REAL(unlink))(path);
}
