// Owns: the wire form of messages: length-prefixed payloads of NUL-terminated key=value fields. Refuses: knowing any key.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 1024 * 1024, FRAME_HEAD = 4 };

// Growable bytes; `bad` is set when memory ran out and everything added since is void.
struct buf {
    char *data;
    size_t len, cap;
    bool bad;
};

bool buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_free(struct buf *b);

// Building: begin, any number of fields, end. The frame is then data[0..len).
void msg_begin(struct buf *b);
void msg_str(struct buf *b, const char *key, const char *value);
void msg_bytes(struct buf *b, const char *key, const char *value, size_t len);  // NUL bytes become spaces
void msg_num(struct buf *b, const char *key, int64_t value);
void msg_end(struct buf *b);

// Reading one frame at a time from a non-blocking socket, never a byte beyond it.
struct frame_reader {
    unsigned char head[FRAME_HEAD];
    uint32_t got;  // bytes of head, then of payload, received so far
    uint32_t size;
    char *payload;
};

enum frame_state { FRAME_MORE, FRAME_DONE, FRAME_END, FRAME_BAD };

// FRAME_DONE: r->payload[0..r->size) is complete and stays owned by r until frame_take or frame_drop.
enum frame_state frame_read(struct frame_reader *r, int fd);
char *frame_take(struct frame_reader *r);
void frame_drop(struct frame_reader *r);

// Walking a payload's fields; the payload is cut in place ('=' becomes NUL).
struct fields {
    char *at, *end;
};

// False when the payload is not a run of NUL-terminated key=value fields.
bool fields_open(struct fields *f, char *payload, size_t size);
bool fields_next(struct fields *f, const char **key, char **value);

// Strict decimal with optional minus; false on anything else or out of [min, max].
bool parse_num(const char *text, int64_t min, int64_t max, int64_t *out);
// Writes the decimal form and a NUL; returns its length. out holds at least 21 bytes.
size_t format_num(char *out, int64_t value);
