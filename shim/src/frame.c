// Owns: encoding and decoding of frames and decimal numbers. Refuses: sockets other than reading one frame; meaning of keys.
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool buf_reserve(struct buf *b, size_t extra) {
    if (b->bad) return false;
    if (extra <= b->cap - b->len) return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->len < extra) cap *= 2;
    char *data = realloc(b->data, cap);
    if (!data) {
        b->bad = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len) {
    if (!len || !buf_reserve(b, len)) return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_free(struct buf *b) {
    free(b->data);
    *b = (struct buf){0};
}

void msg_begin(struct buf *b) {
    b->len = 0;
    buf_add(b, "\0\0\0\0", FRAME_HEAD);
}

void msg_bytes(struct buf *b, const char *key, const char *value, size_t len) {
    buf_add(b, key, strlen(key));
    buf_add(b, "=", 1);
    size_t at = b->len;
    buf_add(b, value, len);
    if (!b->bad) {
        for (size_t i = at; i < b->len; i++) {
            if (!b->data[i]) b->data[i] = ' ';
        }
    }
    buf_add(b, "", 1);
}

void msg_str(struct buf *b, const char *key, const char *value) { msg_bytes(b, key, value, strlen(value)); }

void msg_num(struct buf *b, const char *key, int64_t value) {
    char text[24];
    msg_bytes(b, key, text, format_num(text, value));
}

void msg_end(struct buf *b) {
    if (b->bad) return;
    uint32_t n = (uint32_t)(b->len - FRAME_HEAD);
    for (int i = 0; i < FRAME_HEAD; i++) b->data[i] = (char)(n >> (24 - 8 * i));
}

// Receives up to `want` bytes; 1 all came, 0 would block, -1 end or error.
static int fill(int fd, void *at, uint32_t have, uint32_t want, uint32_t *got) {
    while (have < want) {
        ssize_t n = read(fd, (char *)at + have, want - have);
        if (n > 0) {
            have += (uint32_t)n;
            *got += (uint32_t)n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno == EAGAIN) {
            return 0;
        } else {
            return -1;
        }
    }
    return 1;
}

enum frame_state frame_read(struct frame_reader *r, int fd) {
    if (!r->payload) {
        int all = fill(fd, r->head, r->got, FRAME_HEAD, &r->got);
        if (all <= 0) return all < 0 ? FRAME_END : FRAME_MORE;
        r->size = (uint32_t)r->head[0] << 24 | (uint32_t)r->head[1] << 16 | (uint32_t)r->head[2] << 8 | r->head[3];
        if (r->size > FRAME_MAX) return FRAME_BAD;
        r->payload = malloc(r->size + 1);
        if (!r->payload) return FRAME_BAD;
        r->payload[r->size] = 0;
        r->got = 0;
    }
    int all = fill(fd, r->payload, r->got, r->size, &r->got);
    if (all <= 0) return all < 0 ? FRAME_END : FRAME_MORE;
    return FRAME_DONE;
}

char *frame_take(struct frame_reader *r) {
    char *payload = r->payload;
    *r = (struct frame_reader){0};
    return payload;
}

void frame_drop(struct frame_reader *r) { free(frame_take(r)); }

bool fields_open(struct fields *f, char *payload, size_t size) {
    f->at = payload;
    f->end = payload + size;
    if (size && payload[size - 1]) return false;
    for (char *p = payload; p < f->end; p += strlen(p) + 1) {
        char *eq = strchr(p, '=');
        if (!eq || eq == p) return false;
    }
    return true;
}

bool fields_next(struct fields *f, const char **key, char **value) {
    if (f->at >= f->end) return false;
    size_t len = strlen(f->at);
    char *eq = strchr(f->at, '=');
    *key = f->at;
    *eq = 0;
    *value = eq + 1;
    f->at += len + 1;
    return true;
}

bool parse_num(const char *text, int64_t min, int64_t max, int64_t *out) {
    bool neg = *text == '-';
    const char *p = text + neg;
    if (!*p) return false;
    int64_t v = 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9') return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v)) return false;
    }
    if (neg) v = -v;
    if (v < min || v > max) return false;
    *out = v;
    return true;
}

size_t format_num(char *out, int64_t value) {
    char tmp[24];
    size_t n = 0, len = 0;
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do tmp[n++] = (char)('0' + v % 10);
    while (v /= 10);
    if (value < 0) out[len++] = '-';
    while (n) out[len++] = tmp[--n];
    out[len] = 0;
    return len;
}
