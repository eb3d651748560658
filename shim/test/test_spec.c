// Owns: unit tests of specification parsing and of the oom file. Refuses: running anything.
#include <stdlib.h>
#include <string.h>

#include "../src/frame.h"
#include "../src/shim.h"
#include "../src/spec.h"
#include "test.h"

// The stage of the failure, "" when the fields make a good specification.
static const char *parse(const char *text, size_t size, struct spec *s, struct fail *f) {
    struct fields fields;
    const char *key;
    char *value;
    spec_init(s);
    s->payload = malloc(size);
    memcpy(s->payload, text, size);
    fail_clear(f);
    if (!fields_open(&fields, s->payload, size)) return "malformed";
    while (fields_next(&fields, &key, &value)) {
        int known = spec_field(s, key, value, f);
        if (known < 0) return f->stage;
        if (!known) return "unknown";
    }
    return spec_check(s, f) < 0 ? f->stage : "";
}

#define PARSE(text) parse(text, sizeof(text), &s, &f)
#define BASE "dir=/d\0arg=runc\0arg=run\0pid-file=pid\0"

static void good(struct tally *t) {
    struct spec s;
    struct fail f = {0};
    CHECK(t, !strcmp(PARSE(BASE "tty=1\0console-socket=c\0rows=24\0cols=80\0oom-score-adj=-999\0log-max-size=1000\0log-max-files=3\0stdin=open\0log-path=/l"), ""));
    CHECK(t, s.args.n == 2 && !strcmp(s.args.v[1], "run") && !s.args.v[2]);
    CHECK(t, s.tty == 1 && s.rows == 24 && s.cols == 80 && s.has_oom_score_adj && s.oom_score_adj == -999);
    CHECK(t, s.log_max_size == 1000 && s.log_max_files == 3 && s.drain_ms == 2000 && s.linger_ms == 10000);
    spec_free(&s);
    CHECK(t, !strcmp(PARSE("dir=/d"), "") && !s.args.n); /* a holder of namespaces, without a process */
    spec_free(&s);
    static char many[64 * 1024] = BASE;
    size_t at = sizeof BASE - 1;
    for (int i = 0; i < 5000; i++, at += 6) memcpy(many + at, "arg=x", 6);
    CHECK(t, !strcmp(parse(many, at, &s, &f), "") && s.args.n == 5002 && !s.args.v[5002]);
    spec_free(&s);
    fail_clear(&f);
}

static void bad(struct tally *t) {
    struct spec s;
    struct fail f = {0};
    static const struct {
        const char *text;
        size_t size;
        const char *stage;
    } cases[] = {
#define CASE(text, stage) {text, sizeof(text), stage}
        CASE("arg=x\0pid-file=p", "parse"),
        CASE("dir=relative\0arg=x\0pid-file=p", "parse"),
        CASE("dir=/d\0auto-start=1", "parse"),
        CASE("dir=/d\0arg=x", "parse"),
        CASE(BASE "tty=1", "parse"),
        CASE(BASE "tty=2\0console-socket=c", "parse"),
        CASE(BASE "rows=65536", "parse"),
        CASE(BASE "rows=-1", "parse"),
        CASE(BASE "log-max-files=0", "parse"),
        CASE(BASE "oom-score-adj=-1001", "parse"),
        CASE(BASE "stdin=maybe", "parse"),
        CASE(BASE "log-path=relative", "parse"),
        CASE(BASE "drain-ms=x", "parse"),
        CASE(BASE "colour=red", "unknown"),
        CASE(BASE "noequals", "malformed"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(t, !strcmp(parse(cases[i].text, cases[i].size, &s, &f), cases[i].stage));
        spec_free(&s);
    }
    fail_clear(&f);
}

static void oom(struct tally *t) {
    CHECK(t, parse_oom("low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\noom_group_kill 0\n"));
    CHECK(t, parse_oom("oom_kill_disable 0\nunder_oom 0\noom_kill 10\n"));
    CHECK(t, !parse_oom("oom_kill_disable 1\nunder_oom 0\noom_kill 0\n"));
    CHECK(t, !parse_oom("oom_kill_disable 1\nunder_oom 1\n"));
    CHECK(t, !parse_oom("oom 7\n") && !parse_oom("") && !parse_oom("oom_kill") && !parse_oom("\n\n\n") && !parse_oom("oom_kill \n"));
    CHECK(t, !parse_oom("x oom_kill 5\n"));
}

void test_spec(struct tally *t) {
    good(t);
    bad(t);
    oom(t);
}
