import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorLine, humanSize, progressBar, progressLine } from './progress-text.ts';

describe('progress as Docker words it', () => {
  it('counts in four digits and powers of a thousand', () => {
    assert.deepEqual([0, 999, 1000, 1_234_567, 2e9].map(humanSize), ['0B', '999B', '1kB', '1.235MB', '2GB']);
  });

  it('draws a bar of fifty columns', () => {
    assert.equal(progressBar(0, 0), '');
    assert.equal(progressBar(512, 0), '    512B');
    assert.equal(progressBar(50, 100), `[${'='.repeat(25)}>${' '.repeat(25)}]      50B/100B`);
    assert.equal(progressBar(100, 100), `[${'='.repeat(50)}>]     100B/100B`);
    assert.equal(progressBar(101, 100), `[${'='.repeat(50)}>]     101B`);
  });

  it('orders fields, escapes for HTML and ends lines as dockerd', () => {
    assert.equal(progressLine({ status: 'Digest: x' }), '{"status":"Digest: x"}\r\n');
    assert.equal(progressLine({ status: '', stream: 'a&b\n' }), '{"stream":"a\\u0026b\\n"}\r\n');
    assert.equal(
      progressLine({ id: 'i', status: 's', phase: true }),
      '{"status":"s","progressDetail":{},"id":"i"}\r\n',
    );
    assert.equal(
      errorLine(new Error('<x>')),
      '{"errorDetail":{"message":"\\u003cx\\u003e"},"error":"\\u003cx\\u003e"}\r\n',
    );
  });
});
