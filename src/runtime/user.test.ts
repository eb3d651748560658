import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUser } from './user.ts';

const FILES = {
  passwd: `root:x:0:0:root:/root:/bin/sh
web:x:33:44:web:/var/www:/bin/sh
# comment
dup:x:1000:1000::/home/dup:/bin/sh
dup2:x:1000:1001::/home/dup2:/bin/sh
short:x:7
bad:x:abc:1::/x:/y
123:x:55:55:numname:/num:/bin/sh
big:x:4294967295:1::/:
+::::::
:x:9:9:::
`,
  group: `root:x:0:
web:x:44:
wheel:x:10:root,web
adm:x:4:web,dup , root
video:x:39:web,web
456:x:77:dup
short:x
`,
};

const CASES: readonly (readonly [user: string, uid: number, gid: number, groups: readonly number[], home: string])[] = [
  ['', 0, 0, [0, 10], '/root'],
  ['root', 0, 0, [0, 10], '/root'],
  ['0:0', 0, 0, [0], '/root'],
  ['web', 33, 44, [44, 10, 4, 39], '/var/www'],
  ['33', 33, 44, [44, 10, 4, 39], '/var/www'],
  ['+33', 33, 44, [44, 10, 4, 39], '/var/www'],
  ['33:10', 33, 10, [10], '/var/www'],
  ['web:wheel', 33, 10, [10], '/var/www'],
  ['web:', 33, 44, [44, 10, 4, 39], '/var/www'],
  [':wheel', 0, 10, [10], '/root'],
  [':', 0, 0, [0, 10], '/root'],
  ['dup', 1000, 1000, [1000, 77], '/home/dup'],
  ['dup2', 1000, 1001, [1001], '/home/dup'],
  ['short', 7, 0, [0], '/'],
  ['123', 123, 0, [0], '/'],
  ['5000:6000', 5000, 6000, [6000], '/'],
  ['2147483647', 2147483647, 0, [0], '/'],
];

for (const [user, uid, gid, groups, home] of CASES) {
  test(`--user '${user}' runs with the ids that Docker gives it`, () => {
    assert.deepEqual(resolveUser(user, [], FILES), { uid, gid, groups, home });
  });
}

test('an unknown user or group is named in the words that clients know', () => {
  const range = 'uids and gids must be in range 0-2147483647';
  const wrong: readonly (readonly [string, string])[] = [
    ['nosuch', 'unable to find user nosuch: no matching entries in passwd file'],
    ['a:b:c', 'unable to find user a: no matching entries in passwd file'],
    [' 33', 'unable to find user  33: no matching entries in passwd file'],
    ['0x10', 'unable to find user 0x10: no matching entries in passwd file'],
    ['web:nosuch', 'unable to find group nosuch: no matching entries in group file'],
    ['-5', range],
    ['2147483648', range],
    ['99999999999', range],
  ];
  for (const [user, message] of wrong) assert.throws(() => resolveUser(user, [], FILES), { kind: 'invalid', message });
  assert.throws(() => resolveUser('', ['nosuch'], FILES), { code: 'GROUP_NOT_FOUND' });
  assert.throws(() => resolveUser('', ['-1'], FILES), { code: 'ID_OUT_OF_RANGE' });
});

test('a broken passwd line makes nobody root', () => {
  for (const user of ['bad', 'big', '+']) assert.throws(() => resolveUser(user, [], FILES), { code: 'USER_NOT_FOUND' });
});

test('--group-add takes names and numbers', () => {
  assert.deepEqual(resolveUser('5', ['wheel', '50', 'wheel'], FILES).groups, [0, 10, 50]);
});

test('an image without passwd file runs as root with home /', () => {
  assert.deepEqual(resolveUser('', [], { passwd: '', group: '' }), { uid: 0, gid: 0, groups: [0], home: '/' });
});
