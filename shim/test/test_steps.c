// Owns: unit tests of the steps that need no privilege, and of refusing bad ones. Refuses: namespaces (test/shim does those).
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/steps.h"
#include "test.h"

static int one(const char *text, struct fail *f) {
    struct strv steps = {0};
    char *copy = strdup(text);
    strv_add(&steps, copy);
    int result = steps_run(&steps, f);
    strv_free(&steps);
    free(copy);
    return result;
}

static bool refused(const char *text, const char *stage, int err) {
    struct fail f = {0};
    bool ok = one(text, &f) == -1 && !strcmp(f.stage, stage) && f.err == err && *fail_text(&f);
    fail_clear(&f);
    return ok;
}

void test_steps(struct tally *t) {
    char dir[] = "/tmp/shim-step-XXXXXX", text[128];
    struct fail f = {0};
    if (!mkdtemp(dir)) abort();
    snprintf(text, sizeof text, "mkdir\x1f%s/a\x1f" "0751", dir);
    struct stat st;
    CHECK(t, one(text, &f) == 0 && one(text, &f) == 0);
    sprintf(text, "%s/a", dir);
    CHECK(t, !stat(text, &st) && (st.st_mode & 0777) == 0751);
    rmdir(text);
    sprintf(text, "write\x1f%s/b\x1fhello", dir);
    CHECK(t, one(text, &f) == 0);
    sprintf(text, "%s/b", dir);
    size_t len;
    char *got = slurp(text, &len);
    CHECK(t, got && !strcmp(got, "hello"));
    free(got);
    unlink(text);
    sprintf(text, "mkdirs\x1f%s/c/d", dir);
    CHECK(t, one(text, &f) == 0);
    sprintf(text, "mkdirs\x1f%s/c/d", dir);
    CHECK(t, one(text, &f) == 0);
    sprintf(text, "stat\x1f%s/c/d", dir);
    CHECK(t, one(text, &f) == 0);
    sprintf(text, "%s/c/d", dir);
    rmdir(text);
    sprintf(text, "%s/c", dir);
    rmdir(text);
    rmdir(dir);
    CHECK(t, refused("stat\x1f/proc/no/such", "step:stat", ENOENT));
    CHECK(t, refused("mkdirs\x1f/dev/null/x/y", "step:mkdirs", ENOTDIR));
    CHECK(t, refused("mkdirs\x1f/proc/no/such", "step:mkdirs", ENOENT));
    CHECK(t, refused("", "step:", EINVAL));
    CHECK(t, refused("dance", "step:dance", EINVAL));
    CHECK(t, refused("a-verb-with-a-name-that-is-much-longer-than-any-stage", "step:a-verb-with-a-name-that-is-much-lo", EINVAL));
    CHECK(t, refused("unshare", "step:unshare", EINVAL));
    CHECK(t, refused("unshare\x1ftime", "step:unshare", EINVAL));
    CHECK(t, refused("chdir\x1f/proc/no/such", "step:chdir", ENOENT));
    CHECK(t, refused("chdir\x1f/\x1f/", "step:chdir", EINVAL));
    CHECK(t, refused("mkdir\x1f/proc/no/such/x\x1f" "0755", "step:mkdir", ENOENT));
    CHECK(t, refused("mkdir\x1f/x\x1f" "0799", "step:mkdir", EINVAL));
    CHECK(t, refused("mkdir\x1f/x\x1f" "777777777777", "step:mkdir", EINVAL));
    CHECK(t, refused("mount\x1ftmpfs\x1f\x1f/x\x1fmany\x1f", "step:mount", EINVAL));
    CHECK(t, refused("mount\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f", "step:mount", EINVAL));
    CHECK(t, refused("write\x1f/proc/no/such/file\x1fx", "step:write", ENOENT));
    CHECK(t, refused("bind\x1f/\x1f" "etc", "step:bind", EINVAL));
    CHECK(t, refused("bind\x1f/proc/no/such\x1f" "etc\x1f/proc/no/such/t", "step:bind", ENOENT));
    CHECK(t, refused("bind\x1f/\x1fno-such-thing\x1f/proc/no/such/t", "step:bind", ENOENT));
    CHECK(t, refused("bind\x1f/\x1f" "etc\x1f/proc/no/such/t", "step:bind", ENOENT));
    CHECK(t, refused("put\x1f/proc/no/such", "step:put", ENOENT));
    fail_clear(&f);
}
