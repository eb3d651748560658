// Owns: the verbs of preparation steps (namespaces, mounts, files). Refuses: verbs or argument counts it does not know.
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame.h"

enum { PARTS_MAX = 6, HELD_MAX = 64 };

// Mounts taken out of a namespace and not yet put into another, first come first served.
struct held {
    int fd[HELD_MAX];
    int first, end;
};

// Each verb returns 0 or an errno.
static int lo_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    struct ifreq req = {.ifr_name = "lo"};
    int err = 0;
    if (ioctl(fd, SIOCGIFFLAGS, &req) < 0) err = errno;
    req.ifr_flags |= IFF_UP;
    if (!err && ioctl(fd, SIOCSIFFLAGS, &req) < 0) err = errno;
    close(fd);
    return err;
}

static int do_unshare(char **p, struct held *held) {
    (void)held;
    if (strcmp(p[1], "mount") == 0) {
        if (unshare(CLONE_NEWNS) < 0) return errno;
        return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? errno : 0;
    }
    if (strcmp(p[1], "net") == 0) {
        if (unshare(CLONE_NEWNET) < 0) return errno;
        return lo_up();
    }
    if (strcmp(p[1], "ipc") == 0) return unshare(CLONE_NEWIPC) < 0 ? errno : 0;
    if (strcmp(p[1], "uts") == 0) return unshare(CLONE_NEWUTS) < 0 ? errno : 0;
    return EINVAL;
}

static int do_chdir(char **p, struct held *held) {
    (void)held;
    return chdir(p[1]) < 0 ? errno : 0;
}

static int do_umount(char **p, struct held *held) {
    (void)held;
    if (umount2(p[1], MNT_DETACH) == 0) return 0;
    return errno == EINVAL || errno == ENOENT ? 0 : errno;
}

static int do_mount(char **p, struct held *held) {
    (void)held;
    int64_t flags = 0;
    if (*p[4] && !parse_num(p[4], 0, INT64_MAX, &flags)) return EINVAL;
    const char *type = *p[1] ? p[1] : NULL;
    const char *data = *p[5] ? p[5] : NULL;
    return mount(p[2], p[3], type, (unsigned long)flags, data) < 0 ? errno : 0;
}

static int do_mkdir(char **p, struct held *held) {
    (void)held;
    mode_t mode = 0;
    if (!*p[2]) return EINVAL;
    for (const char *c = p[2]; *c; c++) {
        if (*c < '0' || *c > '7' || mode > 0777) return EINVAL;
        mode = mode * 8 + (mode_t)(*c - '0');
    }
    return mkdir(p[1], mode) < 0 && errno != EEXIST ? errno : 0;
}

static int do_write(char **p, struct held *held) {
    (void)held;
    int fd = open(p[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return errno;
    size_t len = strlen(p[2]);
    ssize_t n = write(fd, p[2], len);
    int err = n < 0 ? errno : (size_t)n < len ? EIO : 0;
    if (close(fd) < 0 && !err) err = errno;
    return err;
}

static int do_stat(char **p, struct held *held) {
    (void)held;
    struct stat st;
    return stat(p[1], &st) < 0 ? errno : 0;
}

// A folder with all that lack above it. What is there already, of whatever kind, is left as it is.
static int do_mkdirs(char **p, struct held *held) {
    (void)held;
    struct stat st;
    if (stat(p[1], &st) == 0) return 0;
    for (char *end = p[1] + 1; errno == ENOENT && (end = strchr(end, '/')); end++) {
        *end = 0;
        bool failed = mkdir(p[1], 0755) < 0 && errno != EEXIST;
        *end = '/';
        if (failed) return errno;
        errno = ENOENT;
    }
    return mkdir(p[1], 0755) < 0 && errno != EEXIST ? errno : 0;
}

// A folder or an empty file, as what shall be mounted there is one.
static int make_target(int fd, const char *target) {
    struct stat st;
    if (fstat(fd, &st) < 0) return errno;
    if (S_ISDIR(st.st_mode)) return mkdir(target, 0700) < 0 && errno != EEXIST ? errno : 0;
    int made = open(target, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (made < 0) return errno;
    close(made);
    return 0;
}

// The path is a container's to choose: no link in it leads out of the root.
static int do_bind(char **p, struct held *held) {
    (void)held;
    int root = open(p[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd;
    int tries = 0;
    do fd = syscall(SYS_openat2, root, p[2], &how, sizeof how);
    while (fd < 0 && errno == EAGAIN && ++tries < 100);  // something is being renamed beside it
    int err = fd < 0 ? errno : 0;
    close(root);
    if (err) return err;
    char from[40] = "/proc/self/fd/";
    format_num(from + strlen(from), fd);
    err = make_target((int)fd, p[3]);
    if (!err && mount(from, p[3], NULL, MS_BIND | MS_REC, NULL) < 0) err = errno;
    close((int)fd);
    return err;
}

// A copy of the mounts at the path that stays in touch with them, whatever the namespaces do afterwards.
static int do_hold(char **p, struct held *held) {
    if (held->end == HELD_MAX) return ENOSPC;
    long fd = syscall(SYS_open_tree, AT_FDCWD, p[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (fd < 0) return errno;
    held->fd[held->end++] = (int)fd;
    return 0;
}

static int do_put(char **p, struct held *held) {
    if (held->first == held->end) return ENOENT;
    int fd = held->fd[held->first++];
    int err = make_target(fd, p[1]);
    if (!err && syscall(SYS_move_mount, fd, "", AT_FDCWD, p[1], MOVE_MOUNT_F_EMPTY_PATH) < 0) err = errno;
    close(fd);
    return err;
}

static const struct verb {
    const char *name;
    int parts;  // with the verb itself
    int shown;  // the part that a failure names
    int (*run)(char **parts, struct held *held);
} verbs[] = {
    {"unshare", 2, 1, do_unshare}, {"chdir", 2, 1, do_chdir}, {"umount", 2, 1, do_umount},
    {"mount", 6, 3, do_mount},     {"mkdir", 3, 1, do_mkdir}, {"write", 3, 1, do_write},
    {"bind", 4, 2, do_bind},       {"hold", 2, 1, do_hold},   {"put", 2, 1, do_put},
    {"stat", 2, 1, do_stat},       {"mkdirs", 2, 1, do_mkdirs},
};

static int run_one(char *step, struct held *held, struct fail *f) {
    char *parts[PARTS_MAX + 1];
    int n = 0;
    for (char *p = step; p && n <= PARTS_MAX;) parts[n++] = strsep(&p, "\x1f");
    char stage[FAIL_STAGE_MAX] = "step:";
    strncat(stage, parts[0], sizeof stage - 6);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, parts[0]) != 0) continue;
        if (n != verbs[i].parts) return fail_set(f, stage, EINVAL, "wrong number of parts");
        int err = verbs[i].run(parts, held);
        return err ? fail_set(f, stage, err, parts[verbs[i].shown]) : 0;
    }
    return fail_set(f, stage, EINVAL, "unknown step");
}

int steps_run(const struct strv *steps, struct fail *f) {
    struct held held = {.end = 0};
    int result = 0;
    for (int i = 0; i < steps->n && result == 0; i++) result = run_one(steps->v[i], &held, f);
    while (held.first < held.end) close(held.fd[held.first++]);
    return result;
}
