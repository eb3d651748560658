import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTag, tagText } from './log-tag.ts';

const FACTS = {
  id: 'ab'.repeat(32),
  name: 'web',
  imageId: `sha256:${'cd'.repeat(32)}`,
  imageName: 'x:1',
  command: ['a', 'b'],
};

test('a tag names what it was asked to name', () => {
  for (const [template, text] of [
    ['{{.Name}}/{{ .ID }}', `web/${'ab'.repeat(6)}`],
    ['{{.ImageName}} {{.Command}}', 'x:1 a b'],
    ['{{.ContainerName}}', '/web'],
    ['plain', 'plain'],
  ] as const) {
    checkTag(template);
    assert.equal(tagText(template, FACTS), text);
  }
});

test('a tag that cannot be filled is refused at create, not written as it stands', () => {
  assert.throws(() => checkTag('{{.Name'), { message: /template: log-tag:1: unclosed action$/ });
  assert.throws(() => checkTag('a{{.Nope}}'), {
    message: /log-tag:1:3: executing "log-tag" at <\.Nope>: can't evaluate field Nope in type \*logger\.Info$/,
  });
  assert.throws(() => checkTag('{{.constructor}}'), { message: /can't evaluate field constructor/ });
  assert.throws(() => checkTag('{{join .Command " "}}'), { kind: 'notImplemented' });
});
