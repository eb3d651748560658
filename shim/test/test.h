// Owns: the unit tests' check macro and counters. Refuses: fixtures.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct tally {
    int passed, failed;
};

void check_at(struct tally *t, bool ok, const char *what, const char *file, int line);
#define CHECK(t, what) check_at(t, what, #what, __FILE__, __LINE__)

void test_frame(struct tally *t);
void test_spec(struct tally *t);
void test_json(struct tally *t);
void test_log(struct tally *t);
void test_rotate(struct tally *t);
void test_steps(struct tally *t);

// Reads a whole file; NULL when it is not there. The caller frees it.
char *slurp(const char *path, size_t *len);
