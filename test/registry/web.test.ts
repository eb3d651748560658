// The web page must show what is in the registry, in a real browser, and nothing that an image says may become part of it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import { inChromium, Tab } from './support/browser.ts';
import { INDEX, MANIFEST, scratch, startRegistry } from './support/registry.ts';

test('repositories, tags and a tag in Chromium', inChromium, async () => {
  await using registry = await startRegistry();
  const evil = '<img src=x onerror="document.title=1">';
  const image = await registry.pushImage('team/app', 'v1', { layers: 2, labels: { evil } });
  await registry.pushManifest(
    'team/app',
    'all',
    { schemaVersion: 2, mediaType: INDEX, manifests: [image.descriptor] },
    INDEX,
  );
  await using tab = await Tab.open();
  const shows = async (path: string, words: RegExp): Promise<string> => {
    await tab.page.goto(`${registry.url}/${path}`);
    return tab.shows(words);
  };
  await shows('', /team\/app/);
  await shows('_gantry/#/team/app', /all[\s\S]*v1/);
  const text = await shows('_gantry/#/team/app:v1', /History/);
  assert.match(text, /linux\/amd64/);
  assert.match(text, /not signed/);
  assert.ok(text.includes(`docker pull ${registry.address}/team/app@${image.digest}`));
  assert.ok(text.includes(evil), 'markup is shown as text');
  assert.equal(await tab.page.title(), 'Registry');
  assert.doesNotMatch(text, /Log in/, 'there is nobody to log in as');
  await shows('_gantry/#?tag:v1', /Search: tag:v1[\s\S]*team\/app/);
  await shows('_gantry/#/nobody', /repository name not known/);
  assert.deepEqual(
    tab.faults.filter((fault) => !fault.includes('404')),
    [],
  );
  if (process.env.GANTRY_SCREENSHOT) {
    await shows('_gantry/#/team/app:v1', /History/);
    await tab.page.screenshot({ path: process.env.GANTRY_SCREENSHOT as `${string}.png` });
  }
});

test('a list longer than a page goes on where it ended', inChromium, async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('many', undefined);
  const tags = Array.from({ length: 101 }, (_, i) => `t${String(i).padStart(3, '0')}`);
  for (const tag of tags) await registry.pushManifest('many', tag, image.bytes);
  await using tab = await Tab.open();
  await tab.page.goto(`${registry.url}/_gantry/#/many`);
  assert.doesNotMatch(await tab.shows(/t099/), /t100/);
  await tab.page.click('main button');
  const text = await tab.shows(/t100/);
  assert.deepEqual(
    [...text.matchAll(/t\d{3}/g)].map(([tag]) => tag),
    tags,
  );
  assert.equal(await tab.page.evaluate("document.querySelector('main button').hidden"), true);
});

test('who logs in sees more than strangers do; a wrong password is asked for again', inChromium, async () => {
  using folder = scratch();
  const htpasswdFile = join(folder.path, 'htpasswd');
  writeFileSync(htpasswdFile, `${await htpasswdLine('ann', 'right')}\n`);
  const rights = [{ repositories: ['public'], subjects: ['anonymous'], actions: ['pull' as const] }];
  await using registry = await startRegistry({
    access: { anonymous: 'none', realm: 'x', htpasswdFile, admins: ['ann'], rights },
  });
  registry.headers = { authorization: `Basic ${Buffer.from('ann:right').toString('base64')}` };
  for (const name of ['public', 'private']) await registry.pushImage(name, 'v1');
  await using tab = await Tab.open();
  await tab.page.goto(registry.url);
  assert.doesNotMatch(await tab.shows(/public[\s\S]*/), /private/);
  await tab.page.waitForSelector('#open-login:not([hidden])');
  await tab.page.click('#open-login');
  await tab.logIn('ann', 'right');
  assert.doesNotMatch(await tab.shows(/private/), /Log in/);

  await tab.page.goto('about:blank');
  await tab.page.goto(`${registry.url}/_gantry/#/private`);
  await tab.logIn('ann', 'wrong');
  await tab.shows(/That was not right/);
  await tab.logIn('ann', 'right');
  await tab.shows(/v1/);
});

test('whatever names, labels, types and users say, it is text on every page', inChromium, async () => {
  using folder = scratch();
  const evil = '<img/src=x/onerror=document.title=1><script>document.title=2</script>"\'`$`';
  const user = evil.replaceAll(':', '');
  const htpasswdFile = join(folder.path, 'htpasswd');
  writeFileSync(htpasswdFile, `${await htpasswdLine(user, 'right')}\n`);
  await using registry = await startRegistry({
    access: { anonymous: 'pull', realm: evil, htpasswdFile, admins: [user], rights: [] },
  });
  registry.headers = { authorization: `Basic ${Buffer.from(`${user}:right`).toString('base64')}` };
  const labels = { [evil]: evil, 'org.opencontainers.image.description': evil };
  const image = await registry.pushImage('team/app', 'v1', { labels, more: { annotations: { [evil]: evil } } });
  const artifact = await registry.pushImage('team/app', undefined, {
    more: { subject: image.descriptor, artifactType: evil, annotations: { [evil]: evil } },
  });
  const entry = { ...image.descriptor, platform: { os: evil, architecture: evil }, annotations: { [evil]: evil } };
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [entry], artifactType: evil };
  await registry.pushManifest('team/app', 'all', index, INDEX);
  const layer = await registry.pushBlob('team/app', Buffer.from(evil), evil);
  const strange = { schemaVersion: 2, mediaType: MANIFEST, config: image.config, layers: [layer] };
  await registry.pushManifest('team/app', 'strange', strange);
  await using tab = await Tab.open();
  const pages: readonly (readonly [path: string, words: RegExp])[] = [
    ['', /team\/app/],
    ['#/team/app', /strange[\s\S]*v1/],
    ['#/team/app:v1', /History/],
    ['#/team/app:all', /Manifests/],
    ['#/team/app:strange', /Layers/],
    [`#/team/app@${artifact.digest}`, /How to pull/],
    [`#?${encodeURIComponent(evil)}`, /Search/],
    [`#/${encodeURIComponent(evil)}`, /invalid|nothing|not/],
    [`#/team/app:${encodeURIComponent(evil)}`, /invalid|nothing|not/],
    ['#?app', /team\/app/],
  ];
  for (const [path, words] of pages) {
    await tab.page.goto('about:blank');
    await tab.page.goto(`${registry.url}/_gantry/${path}`);
    await tab.shows(words).catch(() => assert.fail(`${path} does not show ${words}`));
    assert.equal(await tab.page.title(), 'Registry', path);
    const strangers = "document.querySelectorAll('img, main script, iframe, [onerror]').length";
    assert.equal(await tab.page.evaluate(strangers), 0, path);
  }
  assert.ok((await tab.shows(/team/)).length > 0);
  assert.deepEqual(
    tab.faults.filter((fault) => /Content Security Policy|SyntaxError/.test(fault)),
    [],
  );
});

test(
  'an index shows its platforms, times their zone; long names and small screens break nothing',
  inChromium,
  async () => {
    await using registry = await startRegistry();
    const name = `team/${'very-long-name-'.repeat(12)}end`;
    const image = await registry.pushImage(name, 'v1');
    const entries = ['amd64', 'arm64'].map((architecture) => ({
      ...image.descriptor,
      platform: { os: 'linux', architecture },
    }));
    const second = await registry.pushImage(name);
    const manifests = [entries[0], { ...second.descriptor, platform: entries[1]?.platform }];
    await registry.pushManifest(name, 'x'.repeat(128), { schemaVersion: 2, mediaType: INDEX, manifests }, INDEX);
    await using tab = await Tab.open();
    for (const width of [1200, 360]) {
      await tab.page.setViewport({ width, height: 800 });
      for (const path of ['', `#/${name}`, `#/${name}:${'x'.repeat(128)}`, '#?team']) {
        await tab.page.goto('about:blank');
        await tab.page.goto(`${registry.url}/_gantry/${path}`);
        const text = await tab.shows(/UTC/);
        assert.match(text, /\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
        const overflow = await tab.page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.ok(Number(overflow) <= 0, `${path.slice(0, 20)} at ${width}: ${overflow} too wide`);
        if (path.includes(':')) assert.match(text, /linux\/amd64[\s\S]*linux\/arm64/);
      }
    }
  },
);
