// Owns: unit tests of escaping, UTF-8 cutting and time stamps. Refuses: files.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/json.h"
#include "test.h"

static bool escapes(const char *src, size_t n, const char *want) {
    char *out = malloc(n * JSON_WORST + 16);
    // An exact copy, so that a sanitizer sees a read beyond the end.
    char *in = malloc(n ? n : 1);
    memcpy(in, src, n);
    size_t len = json_escape(out, in, n);
    bool same = len == strlen(want) && memcmp(out, want, len) == 0;
    free(in);
    free(out);
    return same;
}

#define ESC(src, want) CHECK(t, escapes(src, sizeof(src) - 1, want))

static void escaping(struct tally *t) {
    ESC("", "");
    ESC("plain text of more than sixteen bytes, and then some", "plain text of more than sixteen bytes, and then some");
    ESC("<b>&\"\\/'", "\\u003cb\\u003e\\u0026\\\"\\\\/'");
    ESC("\n\r\t\b\f\v", "\\n\\r\\u0009\\u0008\\u000c\\u000b");
    ESC("\0\x01\x1f\x7f", "\\u0000\\u0001\\u001f\x7f");
    ESC("\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9");
    ESC("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa");
    ESC("\xff\xc3(\xe2\x82 \xf0\x9f\x92", "\\ufffd\\ufffd(\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd");
    ESC("\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd");
    ESC("\xef\xbf\xbd", "\xef\xbf\xbd");
    // Every byte at every place of a vector: fast and slow path agree.
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 40; at++) {
            char text[40], alone[16], out[40 * 6 + 16];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            size_t one = json_escape(alone, text + at, 1), all = json_escape(out, text, sizeof text);
            if (all != 39 + one || memcmp(out + at, alone, one) != 0) CHECK(t, !"a byte is escaped differently by place");
        }
    }
}

static void cutting(struct tally *t) {
    CHECK(t, utf8_whole("abc", 3) == 3);
    CHECK(t, utf8_whole("ab\xc3", 3) == 2);
    CHECK(t, utf8_whole("ab\xc3\xa9", 4) == 4);
    CHECK(t, utf8_whole("a\xf0\x9f\x92", 4) == 1);
    CHECK(t, utf8_whole("a\xf0\x9f", 3) == 1 && utf8_whole("a\xf0", 2) == 1);
    CHECK(t, utf8_whole("a\xf0\x9f\x92\xa9", 5) == 5);
    CHECK(t, utf8_whole("\xff\xff", 2) == 2 && utf8_whole("\x80\x80\x80\x80", 4) == 4);
    CHECK(t, utf8_whole("a\xed\xa0", 3) == 3);  // a surrogate is invalid already
    CHECK(t, utf8_whole("", 0) == 0);
}

static bool stamps(int64_t ns, const char *want) {
    char out[STAMP_MAX];
    size_t n = stamp_format(out, ns);
    return n == strlen(want) && memcmp(out, want, n) == 0;
}

static void stamping(struct tally *t) {
    CHECK(t, stamps(0, "1970-01-01T00:00:00Z"));
    CHECK(t, stamps(1136214245999999999, "2006-01-02T15:04:05.999999999Z"));
    CHECK(t, stamps(951782400100000000, "2000-02-29T00:00:00.1Z"));
    CHECK(t, stamps(1, "1970-01-01T00:00:00.000000001Z"));
    CHECK(t, stamps(-1, "1969-12-31T23:59:59.999999999Z"));
    CHECK(t, stamps(4107542400000000000, "2100-03-01T00:00:00Z"));
    for (int64_t s = 0; s < 8000000000; s += 86399 * 7) {
        time_t when = (time_t)s;
        struct tm tm;
        char want[40];
        gmtime_r(&when, &tm);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.5Z", &tm);
        if (!stamps(s * 1000000000 + 500000000, want)) CHECK(t, !"a date differs from gmtime's");
    }
}

void test_json(struct tally *t) {
    escaping(t);
    cutting(t);
    stamping(t);
}
