// Owns: copies of programs in sealed memory. Refuses: running them; keeping more than their descriptors.
//
// A container runtime copies itself into sealed memory at each start and executes itself again from there, lest a container
// overwrite it (CVE-2019-5736). One that already runs from such memory skips that: a third of crun's time.
#define _GNU_SOURCE
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_MAX = 256 * 1024 * 1024 };

static int copy(int from, int to, off_t size) {
    while (size > 0) {
        ssize_t n = sendfile(to, from, NULL, (size_t)size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EIO;
        size -= n;
    }
    return 0;
}

static int fill(int memory, const char *path) {
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return errno;
    struct stat st;
    int err = fstat(from, &st) < 0 ? errno : 0;
    if (!err && (!S_ISREG(st.st_mode) || st.st_size > PROGRAM_MAX)) err = EINVAL;
    if (!err) err = copy(from, memory, st.st_size);
    if (!err && fchmod(memory, 0755) < 0) err = errno;
    if (!err && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) err = errno;
    close(from);
    return err;
}

int seal_program(const char *path, int slot, struct fail *f) {
    if (slot < 0 || slot >= SEAL_MOST) return fail_set(f, "seal", ENOSPC, path);
    int memory = memfd_create(path, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return fail_set(f, "seal", errno, path);
    int err = fill(memory, path);
    int fd = err ? -1 : dup3(memory, SEAL_FIRST + slot, O_CLOEXEC);
    if (!err && fd < 0) err = errno;
    close(memory);
    return err ? fail_set(f, "seal", err, path) : fd;
}
