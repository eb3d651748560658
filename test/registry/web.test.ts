// The web page must show what is in the registry, in a real browser, and nothing that an image says may become part of it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { INDEX, startRegistry } from './support/registry.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

test('repositories, tags and a tag in Chromium', { skip: CHROMIUM === undefined && 'no Chromium here' }, async () => {
  await using registry = await startRegistry();
  const evil = '<img src=x onerror="document.title=1">';
  const image = await registry.pushImage('team/app', 'v1', { layers: 2, labels: { evil } });
  await registry.pushManifest(
    'team/app',
    'all',
    { schemaVersion: 2, mediaType: INDEX, manifests: [image.descriptor] },
    INDEX,
  );
  const browser = await puppeteer.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    const shows = async (path: string, words: RegExp): Promise<string> => {
      await page.goto(`${registry.url}/${path}`);
      // Text for the browser, as it has words that Node's types do not.
      await page.waitForFunction(`new RegExp(${JSON.stringify(words.source)}).test(document.body.innerText)`, {
        timeout: 15_000,
      });
      return String(await page.evaluate('document.body.innerText'));
    };
    await shows('', /team\/app/);
    await shows('_gantry/#/team/app', /all[\s\S]*v1/);
    const text = await shows('_gantry/#/team/app:v1', /History/);
    assert.match(text, /linux\/amd64/);
    assert.match(text, /not signed/);
    assert.ok(text.includes(`docker pull ${registry.address}/team/app@${image.digest}`));
    assert.ok(text.includes(evil), 'markup is shown as text');
    assert.equal(await page.title(), 'Registry');
    await shows('_gantry/#?tag:v1', /Search: tag:v1[\s\S]*team\/app/);
    await shows('_gantry/#/nobody', /repository name not known/);
    assert.deepEqual(
      faults.filter((fault) => !fault.includes('404')),
      [],
    );
    if (process.env.GANTRY_SCREENSHOT) {
      await shows('_gantry/#/team/app:v1', /History/);
      await page.screenshot({ path: process.env.GANTRY_SCREENSHOT as `${string}.png` });
    }
  } finally {
    await browser.close();
  }
});
