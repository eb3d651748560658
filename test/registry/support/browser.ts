// Owns a real browser for tests of what pages show and what scripts may do. Skipped where there is no Chromium.

import { existsSync } from 'node:fs';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** For node:test. */
export const inChromium = { skip: CHROMIUM === undefined && 'no Chromium here' };

/** A page of a browser, and what went wrong in it. */
export class Tab implements AsyncDisposable {
  readonly faults: string[] = [];
  readonly page: Page;
  readonly #browser: Browser;

  constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
  }

  static async open(...args: readonly string[]): Promise<Tab> {
    const browser = await puppeteer.launch({
      executablePath: CHROMIUM ?? '',
      args: ['--no-sandbox', '--disable-gpu', ...args],
    });
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
