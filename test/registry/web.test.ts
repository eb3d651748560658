// The web page must show what is in the registry, in a real browser, and nothing that an image says may become part of it.

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import { INDEX, scratch, startRegistry } from './support/registry.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

const options = { skip: CHROMIUM === undefined && 'no Chromium here' };

/** A page of a browser, and what went wrong in it. */
class Tab implements AsyncDisposable {
  readonly faults: string[] = [];
  readonly page: Page;
  readonly #browser: Browser;

  constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
  }

  static async open(): Promise<Tab> {
    const browser = await puppeteer.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox', '--disable-gpu'] });
    return new Tab(browser, await browser.newPage());
  }

  /** Waits for words in the page; its text. */
  async shows(words: RegExp): Promise<string> {
    // Text for the browser, as it has words that Node's types do not.
    await this.page.waitForFunction(`new RegExp(${JSON.stringify(words.source)}).test(document.body.innerText)`, {
      timeout: 15_000,
    });
    return String(await this.page.evaluate('document.body.innerText'));
  }

  async logIn(user: string, password: string): Promise<void> {
    await this.page.waitForSelector('dialog[open]');
    await this.page.evaluate("document.getElementById('user').value = ''");
    await this.page.type('#user', user);
    await this.page.type('#password', password);
    await this.page.click('#login button');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

test('repositories, tags and a tag in Chromium', options, async () => {
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

test('a list longer than a page goes on where it ended', options, async () => {
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

test('who logs in sees more than strangers do; a wrong password is asked for again', options, async () => {
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
