// Owns the behaviour of the web page, as the text that browsers get. Every word of the registry's is set as text, never as markup.

export const SCRIPT = String.raw`
const main = document.getElementById('main');
const query = document.getElementById('query');
/** Relative: the page may lie under a prefix. */
const api = '../v2/_gantry';
let authorization;

/** An element with text and children. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Asks as whoever logged in. Without the browser's own credentials: its own question for a password would come before ours. */
function ask(path) {
  return fetch(path, { headers: authorization ? { authorization } : {}, credentials: 'omit' });
}

async function get(path) {
  for (let hasFailed = false; ; hasFailed = true) {
    const answer = await ask(path);
    if (answer.status === 401) { await logIn(hasFailed); continue; }
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.errors?.[0]?.message ?? 'the registry answered ' + answer.status);
    return body;
  }
}

/** Asks for a user and a password. One question at a time: who asks meanwhile gets the same answer. */
let question;
function logIn(hasFailed) {
  question ??= new Promise((resolve, reject) => {
    const dialog = document.getElementById('login');
    const password = document.getElementById('password');
    document.getElementById('wrong').hidden = !hasFailed;
    password.value = '';
    dialog.returnValue = '';
    dialog.addEventListener('close', () => {
      question = undefined;
      if (dialog.returnValue !== 'ok') return reject(new Error('not logged in'));
      const bytes = new TextEncoder().encode(document.getElementById('user').value + ':' + password.value);
      authorization = 'Basic ' + btoa(String.fromCharCode(...bytes));
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return question;
}

/** Where there are accounts, strangers see what strangers may: the button is for those who may see more. */
const loginButton = document.getElementById('open-login');
async function offerLogin() {
  loginButton.hidden = authorization !== undefined || (await ask(api + '/status')).status !== 401;
}
loginButton.addEventListener('click', async () => {
  await logIn(false).catch(() => undefined);
  const { status } = await ask(api + '/status');
  if (status === 401) authorization = undefined;
  await offerLogin();
  await show();
});

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  if (bytes === undefined) return '';
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
  return el('span', { class: 'number' }, (unit === 0 ? value : value.toPrecision(3)) + ' ' + units[unit]);
}

function time(text) {
  return text ? el('time', { datetime: text, title: new Date(text).toString() }, text.slice(0, 16).replace('T', ' ') + ' UTC') : '';
}

/** Of digests, and of tags that signers make of digests. */
const short = (text) => text.replace(/^(sha\d+[:-][0-9a-f]{12})[0-9a-f]+/, (_, head) => head + (text.includes(':') ? '' : '…'));

/** On a narrow screen each cell stands under the last, behind its heading. */
const tableRow = (headings) => (cells) => el('tr', {}, ...cells.map((cell, i) => el('td', { 'data-heading': headings[i] }, cell)));

function table(headings, rows) {
  if (rows.length === 0) return el('p', { class: 'soft' }, 'Nothing here.');
  const head = el('tr', {}, ...headings.map((heading) => el('th', {}, heading)));
  return el('table', { class: 'list' }, el('thead', {}, head), el('tbody', {}, ...rows.map(tableRow(headings))));
}

/** A table of a list that comes in pages: 'fetchPage' takes where to go on and gives rows, and where the next page begins. */
async function pagedTable(headings, fetchPage) {
  let { rows, last } = await fetchPage('');
  const shown = table(headings, rows);
  const button = el('button', { type: 'button' }, 'Show more');
  button.hidden = last === undefined;
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      ({ rows, last } = await fetchPage('&last=' + encodeURIComponent(last)));
      shown.tBodies[0].append(...rows.map(tableRow(headings)));
      button.hidden = last === undefined;
    } finally {
      button.disabled = false;
    }
  });
  return [shown, button];
}

const repositoryLink = (name) => el('a', { href: '#/' + name }, name);
const tagLink = (name, tag) => el('a', { href: '#/' + name + ':' + tag, title: tag }, short(tag));

async function showRepositories() {
  const view = (row) => [repositoryLink(row.name), String(row.tagCount), row.newestTag ? tagLink(row.name, row.newestTag) : '', time(row.updatedAt)];
  const rows = await pagedTable(['Name', 'Tags', 'Newest', 'Pushed'], async (next) => {
    const { repositories, last } = await get(api + '/repositories?n=100' + next);
    return { rows: repositories.map(view), last };
  });
  return [el('h1', {}, 'Repositories'), ...rows];
}

async function showSearch(text) {
  const view = (row) => [repositoryLink(row.repository), tagLink(row.repository, row.tag), row.platforms.join(', '), size(row.sizeBytes), time(row.pushedAt)];
  const rows = await pagedTable(['Repository', 'Tag', 'Platforms', 'Size', 'Pushed'], async (next) => {
    const { results, last } = await get(api + '/search?n=100&q=' + encodeURIComponent(text) + next);
    return { rows: results.map(view), last };
  });
  return [el('h1', {}, 'Search: ' + text), ...rows];
}

async function showRepository(name) {
  const view = (row) => [tagLink(name, row.tag), el('code', { title: row.digest }, short(row.digest)), row.platforms.join(', '), size(row.contentBytes), time(row.updatedAt), row.pushedBy];
  const rows = await pagedTable(['Tag', 'Digest', 'Platforms', 'Size', 'Pushed', 'By'], async (next) => {
    const { tags, last } = await get(api + '/repositories/' + encodeURI(name) + '/tags?n=100' + next);
    return { rows: tags.map(view), last };
  });
  return [el('h1', {}, name), ...rows];
}

async function showTag(name, reference) {
  const base = api + '/repositories/' + encodeURI(name);
  const wanted = encodeURIComponent(reference);
  const record = await get(base + '/manifests/' + wanted);
  const [verification, { history }] = await Promise.all([
    get(base + '/verification/' + record.digest),
    reference.includes(':') ? { history: [] } : get(base + '/history/' + wanted),
  ]);
  const separator = reference.includes(':') ? '@' : ':';
  return [
    el('h1', {}, name + separator + reference),
    facts(record, verification),
    el('h2', {}, 'How to pull'),
    el('pre', {}, el('code', {}, 'docker pull ' + location.host + '/' + name + separator + reference)),
    el('pre', {}, el('code', {}, 'docker pull ' + location.host + '/' + name + '@' + record.digest)),
    ...contents(name, record),
    el('h2', {}, 'Signatures, SBOMs and reports'),
    table(['Type', 'Digest', 'Size'], record.referrers.map((row) => [row.artifactType ?? row.mediaType, manifestLink(name, row.digest), size(row.size)])),
    el('h2', {}, 'Labels'),
    table(['Key', 'Value'], Object.entries(record.labels)),
    el('h2', {}, 'History'),
    table(['Digest', 'Since', 'Until', 'By'], history.map((row) => [manifestLink(name, row.digest), time(row.since), row.until ? time(row.until) : 'now', row.by])),
  ];
}

const manifestLink = (name, digest) => el('a', { href: '#/' + name + '@' + digest, title: digest }, el('code', {}, short(digest)));

function facts(record, { signature, report }) {
  const words = { valid: ['good', 'signed by ' + signature.keys.join(', ')], unknown: ['soft', 'signed, by no key that is known here'], none: ['soft', 'not signed'] };
  const [tone, text] = words[signature.state];
  const rows = [
    ['Digest', el('code', {}, record.digest)],
    ['Type', record.mediaType],
    ['Platforms', record.platforms.join(', ')],
    ['Size', size(record.contentBytes)],
    ['Built', time(record.createdAt)],
    ['Pushed', time(record.pushedAt)],
    ['By', record.pushedBy],
    ['Tags', record.tags.join(', ')],
    ['Signature', el('span', { class: tone }, text)],
  ];
  if (report) {
    const { critical, high, medium, low } = report.counts;
    rows.push(['Scan', el('span', { class: critical + high > 0 ? 'bad' : 'good' }, critical + ' critical, ' + high + ' high, ' + medium + ' medium, ' + low + ' low')]);
  }
  return el('table', {}, el('tbody', {}, ...rows.map(([key, value]) => el('tr', {}, el('th', {}, key), el('td', {}, value)))));
}

function contents(name, record) {
  const manifests = record.references.filter((row) => row.kind === 'manifest');
  const layers = record.references.filter((row) => row.kind === 'layer');
  const tables = [];
  if (manifests.length > 0) {
    const view = (row) => [manifestLink(name, row.digest), row.platform ?? '', row.mediaType, size(row.sizeBytes)];
    tables.push(el('h2', {}, 'Manifests'), table(['Digest', 'Platform', 'Type', 'Size'], manifests.map(view)));
  }
  if (layers.length > 0) {
    const view = (row, i) => [String(i + 1), el('code', { title: row.digest }, short(row.digest)), row.mediaType, size(row.sizeBytes)];
    tables.push(el('h2', {}, 'Layers'), table(['Layer', 'Digest', 'Type', 'Size'], layers.map(view)));
  }
  return tables;
}

/** '#/', '#?words', '#/name', '#/name:tag', '#/name@digest'. */
function route() {
  const hash = decodeURIComponent(location.hash);
  if (hash.startsWith('#?')) return showSearch(hash.slice(2));
  const path = hash.replace(/^#\/?/, '');
  if (path === '') return showRepositories();
  const at = path.indexOf('@');
  if (at > 0) return showTag(path.slice(0, at), path.slice(at + 1));
  const colon = path.lastIndexOf(':');
  return colon > 0 ? showTag(path.slice(0, colon), path.slice(colon + 1)) : showRepository(path);
}

let turn = 0;
async function show() {
  const mine = ++turn;
  try {
    const parts = await route();
    if (mine === turn) main.replaceChildren(...parts);
  } catch (error) {
    if (mine === turn) main.replaceChildren(el('p', { class: 'bad' }, error.message));
  }
}

document.getElementById('search').addEventListener('submit', (event) => {
  event.preventDefault();
  location.hash = query.value.trim() === '' ? '#/' : '#?' + encodeURIComponent(query.value.trim());
});
addEventListener('hashchange', show);
await show();
await offerLogin();
`;
