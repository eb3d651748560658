// Owns: the fuzz targets (frames, specification, JSON log) and a deterministic driver where libFuzzer is missing. Refuses: flaky input.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../src/frame.h"
#include "../src/json.h"
#include "../src/log.h"
#include "../src/shim.h"
#include "../src/spec.h"

#define MUST(what) ((what) ? (void)0 : (fprintf(stderr, "broken: %s\n", #what), abort()))

static void fuzz_spec(const uint8_t *data, size_t n) {
    char *payload = malloc(n + 1);
    memcpy(payload, data, n);
    payload[n] = 0;
    struct fields f;
    const char *key;
    char *value;
    struct spec s;
    struct fail fail = {0};
    spec_init(&s);
    s.payload = payload;
    if (fields_open(&f, payload, n)) {
        while (fields_next(&f, &key, &value)) {
            MUST(*key && key >= payload && value <= payload + n);
            if (spec_field(&s, key, value, &fail) < 0) MUST(fail.err != 0);
        }
        spec_check(&s, &fail);
    }
    parse_oom(payload);
    fail_clear(&fail);
    spec_free(&s);
}

static void fuzz_frame(const uint8_t *data, size_t n) {
    int p[2];
    if (n > 4096 || pipe2(p, O_NONBLOCK) < 0) return;
    struct frame_reader r = {0};
    size_t at = 0, taken = 0;
    enum frame_state st = FRAME_MORE;
    while (at < n && st != FRAME_BAD) {
        size_t step = 1 + data[at] % 64;
        if (step > n - at) step = n - at;
        MUST(write(p[1], data + at, step) == (ssize_t)step);
        at += step;
        while ((st = frame_read(&r, p[0])) == FRAME_DONE) {
            MUST(r.size <= FRAME_MAX && r.payload[r.size] == 0);
            taken += 4 + r.size;
            MUST(taken <= at);
            frame_drop(&r);
        }
    }
    frame_drop(&r);
    close(p[0]);
    close(p[1]);
}

// Undoes escaping; MUSTs that what it reads is a JSON string's inside.
static size_t unescape(char *out, const char *in, size_t n) {
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)in[i];
        MUST(c >= 0x20 && c != '"' && c != '<' && c != '>' && c != '&');
        if (c != '\\') {
            *o++ = (char)c;
            continue;
        }
        MUST(i + 1 < n);
        c = (unsigned char)in[++i];
        if (c == 'n') *o++ = '\n';
        else if (c == 'r') *o++ = '\r';
        else if (c == '"' || c == '\\') *o++ = (char)c;
        else {
            char digits[5] = {0};
            MUST(c == 'u' && i + 4 < n);
            memcpy(digits, in + i + 1, 4);
            unsigned long u = strtoul(digits, NULL, 16);
            i += 4;
            if (u == 0xfffd) *o++ = (char)0xff;  // stands for any invalid byte
            else if (u >= 0x2028) o = mempcpy(o, u == 0x2028 ? "\xe2\x80\xa8" : "\xe2\x80\xa9", 3);
            else *o++ = (char)u;
        }
    }
    return (size_t)(o - out);
}

// Equal but for bytes that were invalid.
static void same_text(const char *got, size_t got_len, const char *want, size_t want_len) {
    MUST(got_len == want_len);
    for (size_t i = 0; i < want_len; i++) MUST(got[i] == want[i] || ((unsigned char)got[i] == 0xff && (want[i] & 0x80)));
}

static void fuzz_escape(const uint8_t *data, size_t n) {
    char *in = malloc(n + 1), *out = malloc(n * JSON_WORST + 16), *back = malloc(n * JSON_WORST + 16);
    memcpy(in, data, n);
    size_t len = json_escape(out, in, n);
    MUST(len <= n * JSON_WORST);
    same_text(back, unescape(back, out, len), in, n);
    size_t whole = utf8_whole(in, n);
    MUST(whole <= n && n - whole <= 3);
    free(in);
    free(out);
    free(back);
}

// However the reads fall, the records hold the text, and each but the last of a line is full.
static void fuzz_log(const uint8_t *data, size_t n) {
    int fd = memfd_create("log", MFD_CLOEXEC);
    char path[64];
    sprintf(path, "/proc/self/fd/%d", fd);
    struct log l = {.fd = -1};
    MUST(!log_open(&l, path, n & 1 ? "{}" : NULL, 0, 1));
    size_t reps = n > 2 ? 1 + data[1] * (size_t)data[2] : 1, total = n * reps;
    if (total > 200000) total = 200000 - 200000 % (n ? n : 1);
    char *text = malloc(total + 1);
    for (size_t at = 0; at < total; at += n) memcpy(text + at, data, n);
    uint32_t seed = n > 4 ? data[3] : 1;
    for (size_t at = 0; at < total;) {
        seed = seed * 1103515245 + 12345;
        size_t step = 1 + (seed >> 8) % 30000;
        if (step > total - at) step = total - at;
        log_feed(&l, 0, text + at, step, 1136214245999999999);
        if (seed & 1) log_flush(&l);
        if (seed & 2) log_flush(&l), log_trim(&l);
        at += step;
    }
    log_end(&l, 0, 0);
    log_flush(&l);
    size_t size = (size_t)l.size;
    char *file = malloc(size + 1), *back = malloc(size + 1);
    MUST(pread(fd, file, size, 0) == (ssize_t)size);
    size_t got = 0;
    for (char *p = file, *end = file + size; p < end;) {
        char *nl = memchr(p, '\n', (size_t)(end - p));
        MUST(nl && !memcmp(p, "{\"log\":\"", 8) && nl[-1] == '}');
        char *tail = memmem(p, (size_t)(nl - p), "\",\"stream\":\"stdout\",", 20);
        MUST(tail);
        size_t len = unescape(back + got, p + 8, (size_t)(tail - p) - 8);
        MUST(len && len <= LOG_PART_MAX);
        if (back[got + len - 1] != '\n' && nl + 1 < end) MUST(len > LOG_PART_MAX - 4);
        got += len;
        p = nl + 1;
    }
    same_text(back, got, text, total);
    free(file);
    free(back);
    free(text);
    log_close(&l);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (!n) return 0;
    switch (data[0] % 8) {
        case 0: fuzz_frame(data + 1, n - 1); break;
        case 1: case 2: fuzz_spec(data + 1, n - 1); break;
        case 3: if (n > 1) fuzz_log(data + 1, n - 1); break;
        default: fuzz_escape(data + 1, n - 1); break;
    }
    return 0;
}

#ifndef LIBFUZZER
static const char *const seeds[] = {
    "dir=/d\1arg=runc\1arg=run\1pid-file=pid\1tty=1\1console-socket=c\1rows=24\1log-max-size=1000\1",
    "step=unshare\x1fmount\1step=mount\x1f" "a\x1f" "b\x1f" "c\x1f" "0\x1f\1stdin=open\1drain-ms=5\1oom-score-adj=-999\1",
    "oom_kill 5\noom_kill 0\n",
    "plain line of text that goes on for a while\n<b>\"\\\n\xc3\xa9\xe2\x80\xa8\xf0\x9f\x92\xa9\xff\n",
    "\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9\xe2\x82\xac",
};

static uint64_t next(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 20000;
    uint64_t s = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252u;
    uint8_t input[2048];
    for (long i = 0; i < rounds; i++) {
        const char *seed = seeds[next(&s) % (sizeof seeds / sizeof *seeds)];
        size_t n = strlen(seed);
        for (size_t k = 0; k < n; k++) input[1 + k] = (uint8_t)(seed[k] == 1 ? 0 : seed[k]);
        n++;
        input[0] = (uint8_t)next(&s);
        while (n < sizeof input / 2 && next(&s) % 3 == 0) {
            memcpy(input + n, input + 1, n - 1);
            n += n - 1;
        }
        for (uint64_t hits = next(&s) % 12; hits; hits--) input[1 + next(&s) % (n - 1)] = (uint8_t)next(&s);
        if (next(&s) % 4 == 0) n = 1 + next(&s) % n;
        LLVMFuzzerTestOneInput(input, n);
    }
    printf("%ld inputs, nothing broke\n", rounds);
    return 0;
}
#endif
