// Owns: the verbs of preparation steps (namespaces, mounts, files). Refuses: verbs or argument counts it does not know.
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"

enum { PARTS_MAX = 6 };

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

static int do_unshare(char **p) {
    if (strcmp(p[1], "mount") == 0) {
        if (unshare(CLONE_NEWNS) < 0) return errno;
        return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? errno : 0;
    }
    if (strcmp(p[1], "net") == 0) {
        if (unshare(CLONE_NEWNET) < 0) return errno;
        return lo_up();
    }
    return EINVAL;
}

static int do_chdir(char **p) { return chdir(p[1]) < 0 ? errno : 0; }

static int do_umount(char **p) {
    if (umount2(p[1], MNT_DETACH) == 0) return 0;
    return errno == EINVAL || errno == ENOENT ? 0 : errno;
}

static int do_mount(char **p) {
    int64_t flags = 0;
    if (*p[4] && !parse_num(p[4], 0, INT64_MAX, &flags)) return EINVAL;
    const char *type = *p[1] ? p[1] : NULL;
    const char *data = *p[5] ? p[5] : NULL;
    return mount(p[2], p[3], type, (unsigned long)flags, data) < 0 ? errno : 0;
}

static int do_mkdir(char **p) {
    mode_t mode = 0;
    if (!*p[2]) return EINVAL;
    for (const char *c = p[2]; *c; c++) {
        if (*c < '0' || *c > '7' || mode > 0777) return EINVAL;
        mode = mode * 8 + (mode_t)(*c - '0');
    }
    return mkdir(p[1], mode) < 0 && errno != EEXIST ? errno : 0;
}

static int do_write(char **p) {
    int fd = open(p[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return errno;
    size_t len = strlen(p[2]);
    ssize_t n = write(fd, p[2], len);
    int err = n < 0 ? errno : (size_t)n < len ? EIO : 0;
    if (close(fd) < 0 && !err) err = errno;
    return err;
}

static const struct verb {
    const char *name;
    int parts;  // with the verb itself
    int (*run)(char **parts);
} verbs[] = {
    {"unshare", 2, do_unshare}, {"chdir", 2, do_chdir}, {"umount", 2, do_umount},
    {"mount", 6, do_mount},     {"mkdir", 3, do_mkdir}, {"write", 3, do_write},
};

static int run_one(char *step, struct fail *f) {
    char *parts[PARTS_MAX + 1];
    int n = 0;
    for (char *p = step; p && n <= PARTS_MAX;) parts[n++] = strsep(&p, "\x1f");
    char stage[FAIL_STAGE_MAX] = "step:";
    strncat(stage, parts[0], sizeof stage - 6);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, parts[0]) != 0) continue;
        if (n != verbs[i].parts) return fail_set(f, stage, EINVAL, "wrong number of parts");
        int err = verbs[i].run(parts);
        return err ? fail_set(f, stage, err, parts[verbs[i].parts > 3 ? 3 : 1]) : 0;
    }
    return fail_set(f, stage, EINVAL, "unknown step");
}

int steps_run(const struct strv *steps, struct fail *f) {
    for (int i = 0; i < steps->n; i++) {
        if (run_one(steps->v[i], f) < 0) return -1;
    }
    return 0;
}
