// Owns: escaping as dockerd's json-file driver does it (seen on 28.5.2), and RFC 3339 stamps. Refuses: allocating.
#include "json.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char hex[] = "0123456789abcdef";

static bool plain(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

// Copies plain bytes until the first that is not; may write up to 15 bytes of rubbish beyond.
static size_t copy_plain(char *dst, const char *src, size_t n) {
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= n; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(src + i));
        _mm_storeu_si128((__m128i *)(void *)(dst + i), x);
        // Signed compare: bytes of 0x80 and up count as negative, so they are below 0x20 too.
        __m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_or_si128(x, _mm_set1_epi8(4)), _mm_set1_epi8('&')));  // " and &
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_or_si128(x, _mm_set1_epi8(2)), _mm_set1_epi8('>')));  // < and >
        int mask = _mm_movemask_epi8(odd);
        if (mask) return i + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    for (; i < n && plain((unsigned char)src[i]); i++) dst[i] = src[i];
    return i;
}

// The length of the valid UTF-8 sequence at s (n bytes at hand), 0 when invalid, -1 when it is valid so far but cut.
static int utf8_at(const unsigned char *s, size_t n) {
    unsigned char c = s[0];
    if (c < 0x80) return 1;
    int len = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (!len) return 0;
    unsigned char low = 0x80, high = 0xbf;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= n) return -1;
        if (s[i] < low || s[i] > high) return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

static size_t put(char *dst, const char *text, size_t n) {
    memcpy(dst, text, n);
    return n;
}

static size_t escape_ascii(char *dst, unsigned char c) {
    switch (c) {
        case '\n': return put(dst, "\\n", 2);
        case '\r': return put(dst, "\\r", 2);
        case '"': return put(dst, "\\\"", 2);
        case '\\': return put(dst, "\\\\", 2);
        default: {
            char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            return put(dst, u, 6);
        }
    }
}

size_t json_escape(char *dst, const char *src, size_t n) {
    char *out = dst;
    size_t i = 0;
    while (i < n) {
        size_t run = copy_plain(out, src + i, n - i);
        out += run;
        i += run;
        if (i == n) break;
        unsigned char c = (unsigned char)src[i];
        if (c < 0x80) {
            out += escape_ascii(out, c);
            i++;
            continue;
        }
        const unsigned char *u = (const unsigned char *)src + i;
        int len = utf8_at(u, n - i);
        if (len <= 0) {
            out += put(out, "\\ufffd", 6);
            i++;
        } else if (len == 3 && c == 0xe2 && u[1] == 0x80 && (u[2] & 0xfe) == 0xa8) {
            out += put(out, u[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
            i += 3;
        } else {
            out += put(out, src + i, (size_t)len);
            i += (size_t)len;
        }
    }
    return (size_t)(out - dst);
}

size_t utf8_whole(const char *src, size_t n) {
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)src[n - back];
        if (c < 0x80) return n;
        if (c >= 0xc0) return utf8_at((const unsigned char *)src + n - back, back) < 0 ? n - back : n;
    }
    return n;
}

static void digits(char *out, unsigned value, int width) {
    while (width--) {
        out[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

size_t stamp_format(char out[STAMP_MAX], int64_t unix_ns) {
    int64_t sec = unix_ns / 1000000000, nano = unix_ns % 1000000000;
    if (nano < 0) {
        nano += 1000000000;
        sec--;
    }
    int64_t days = sec / 86400, left = sec % 86400;
    if (left < 0) {
        left += 86400;
        days--;
    }
    // Civil date from days since 1970 (Howard Hinnant's algorithm): years begin in March.
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = (int64_t)yoe + era * 400 + (month <= 2);
    memcpy(out, "0000-00-00T00:00:00.", 20);
    digits(out, (unsigned)year, 4);
    digits(out + 5, month, 2);
    digits(out + 8, doy - (153 * mp + 2) / 5 + 1, 2);
    digits(out + 11, (unsigned)(left / 3600), 2);
    digits(out + 14, (unsigned)(left / 60 % 60), 2);
    digits(out + 17, (unsigned)(left % 60), 2);
    digits(out + 20, (unsigned)nano, 9);
    size_t len = 29;
    while (out[len - 1] == '0') len--;
    if (out[len - 1] == '.') len--;
    out[len++] = 'Z';
    return len;
}
