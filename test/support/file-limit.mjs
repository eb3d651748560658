// Owns the end of a test file that would hang: loaded before each by `npm test`. Knows no test.

const LIMIT_MS = Number(process.env.GANTRY_TEST_FILE_LIMIT_MS ?? 600_000);

if (process.env.NODE_TEST_CONTEXT) {
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} did not end within ${LIMIT_MS / 1000} s; what holds it: ${held}\n`);
    process.exit(1);
  }, LIMIT_MS).unref();
}
