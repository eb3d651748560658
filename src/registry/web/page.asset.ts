// Owns the markup and style of the web page. No behaviour, and nothing from elsewhere.

export const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Registry</title>
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body>
<header>
<a href="#/" id="home">Registry</a>
<form id="search" role="search"><input id="query" type="search" placeholder="name, tag, label:key=value, platform:linux/arm64, size:&gt;100MB, age:&lt;7d" aria-label="Search"></form>
<button type="button" id="open-login" hidden>Log in</button>
</header>
<main id="main" aria-live="polite"></main>
<dialog id="login">
<form method="dialog">
<p>This registry asks who you are.</p>
<p id="wrong" class="bad" hidden>That was not right.</p>
<label>User <input id="user" autocomplete="username"></label>
<label>Password <input id="password" type="password" autocomplete="current-password"></label>
<button value="ok">Log in</button>
</form>
</dialog>
</body>
</html>
`;

export const CSS = `:root { color-scheme: light dark; --line: light-dark(#ddd, #444); --soft: light-dark(#666, #aaa); --link: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .75rem 1.25rem; border-bottom: 1px solid var(--line); }
#home { font-weight: 600; text-decoration: none; color: inherit; }
#search { flex: 1 1 14rem; min-width: 0; }
#query { width: 100%; max-width: 46rem; padding: .4rem .6rem; font: inherit; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: inherit; }
main { padding: 1.25rem; max-width: 72rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin-top: 1.75rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
time, .number { white-space: nowrap; }
button { font: inherit; padding: .3rem .8rem; margin-top: .75rem; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: inherit; cursor: pointer; }
header button { margin: 0; white-space: nowrap; }
[hidden] { display: none; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; margin: .3rem 0; }
a { color: var(--link); }
.soft { color: var(--soft); }
.good { color: light-dark(#146c2e, #81c995); }
.bad { color: light-dark(#b3261e, #f2b8b5); }
dialog { max-width: calc(100vw - 2rem); }
dialog label { display: block; margin: .5rem 0; }
@media (max-width: 44rem) {
  main { padding: .75rem; }
  .list thead { display: none; }
  .list tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  .list td { display: flex; gap: .75rem; padding: .1rem 0; border: 0; min-width: 0; }
  .list td:empty { display: none; }
  .list td::before { content: attr(data-heading); flex: 0 0 6rem; color: var(--soft); overflow-wrap: anywhere; }
}
`;
