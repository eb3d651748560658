// Pins format templates to Go's text/template: scripts full of `--format` would break otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateTemplate, FUNCTION_NAMES, parseTemplate, TYPE_NAME } from './index.ts';

const DATA = {
  Name: 'web',
  Count: 3,
  Big: 1795490603469700832n,
  On: true,
  Nothing: null,
  List: ['a', 'b'],
  Map: { b: 2, a: 1 },
  Deep: { Items: [{ V: 'x' }, { V: 'y' }] },
};

function run(source: string, data: unknown = DATA): string {
  return evaluateTemplate(parseTemplate(source, FUNCTION_NAMES), data);
}

const OUTPUTS: readonly (readonly [template: string, output: string])[] = [
  ['{{.Name}}', 'web'],
  ['{{ .Name }}/{{.Count}}/{{.On}}', 'web/3/true'],
  ['{{.Big}} {{json .Big}}', '1795490603469700832 1795490603469700832'],
  ['{{.Nothing}}', '<nil>'],
  ['{{.List}} {{.Map}}', '[a b] map[a:1 b:2]'],
  ['{{json .List}}{{json .Map}}', '["a","b"]{"b":2,"a":1}'],
  ['{{len .List}}{{len .Name}}', '23'],
  ['{{index .List 1}}{{index .Map "a"}}{{index .Map "none"}}', 'b1'],
  ['{{(index .Deep.Items 1).V}}', 'y'],
  ['{{range .List}}<{{.}}>{{end}}', '<a><b>'],
  ['{{range $i, $v := .List}}{{$i}}{{$v}}{{$.Name}} {{end}}', '0aweb 1bweb '],
  ['{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}', 'a=1;b=2;'],
  ['{{range .Nothing}}x{{else}}none{{end}}', 'none'],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
  ['{{if .Nothing}}yes{{else if .On}}on{{else}}no{{end}}', 'on'],
  ['{{if and .On (gt .Count 2)}}big{{end}}', 'big'],
  ['{{if or .Nothing (eq .Name "x" "web")}}hit{{end}}', 'hit'],
  ['{{with .Deep}}{{range .Items}}{{.V}}{{end}}{{end}}', 'xy'],
  ['{{.Name | upper | printf "%s!"}}', 'WEB!'],
  ['{{printf "%-6s|%3d|%q|%v" .Name .Count .Name .List}}', 'web   |  3|"web"|[a b]'],
  ['{{println .Name .Count}}', 'web 3\n'],
  ['{{join .List ","}} {{split "a,b" ","}} {{title "a bc"}} {{lower "AB"}}', 'a,b [a b] A Bc ab'],
  ['{{pad .Name 1 2}}|{{truncate .Name 2}}', ' web  |we'],
  ['a {{- .Name -}} b', 'awebb'],
  ['{{/* note */}}x{{$v := .Count}}{{$v}}', 'x3'],
  ['{{not .On}} {{ne .Count 3}} {{le 1 1}}', 'false false true'],
];

for (const [template, output] of OUTPUTS) test(template, () => assert.equal(run(template), output));

const FAILURES: readonly (readonly [template: string, message: string])[] = [
  ['{{', 'template: :1: unclosed action'],
  ['{{.Name', 'template: :1: unclosed action'],
  ['{{if .On}}', 'template: :1: unexpected EOF'],
  ['{{end}}', 'template: :1: unexpected {{end}}'],
  ['{{nosuch .}}', 'template: :1: function "nosuch" not defined'],
  ['{{.Foo}}', 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
  ['ab{{.Deep.Foo}}', 'template: :1:9: executing "" at <.Deep.Foo>: map has no entry for key "Foo"'],
  ['{{index .List 9}}', 'template: :1:2: executing "" at <index .List 9>: error calling index: index out of range: 9'],
  [
    '{{(index .Nothing 0).X}}',
    'template: :1:3: executing "" at <index .Nothing 0>: error calling index: index of untyped nil',
  ],
];

for (const [template, message] of FAILURES) {
  test(`${template} fails in Go's words`, () => assert.throws(() => run(template), { message }));
}

test('a row shows its methods sorted, with HTML escapes, and names its type in errors', () => {
  const row = { [TYPE_NAME]: '*x.Row', Z: () => '<a>', A: () => 'b', Label: (name: unknown) => `l:${String(name)}` };
  assert.equal(run('{{json .}}', row), '{"A":"b","Z":"\\u003ca\\u003e"}');
  assert.equal(run('{{.Label "k"}} {{.Z}}', row), 'l:k <a>');
  assert.throws(() => run('{{.Q}}', row), /can't evaluate field Q in type \*x\.Row$/);
});
