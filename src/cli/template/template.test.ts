// Pins format templates to Go's text/template: scripts full of `--format` would break otherwise. test/cli compares hundreds
// with docker; here is what each part must do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf } from './go/text.ts';
import {
  dockerValue,
  evaluateTemplate,
  FUNCTION_NAMES,
  parseTemplate,
  rawValue,
  rowValue,
  TYPE_NAME,
} from './index.ts';

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
  return evaluateTemplate(parseTemplate(source, FUNCTION_NAMES), rawValue(data), { missingKey: 'error' });
}

const OUTPUTS: readonly (readonly [template: string, output: string])[] = [
  ['{{.Name}}', 'web'],
  ['{{ .Name }}/{{.Count}}/{{.On}}', 'web/3/true'],
  ['{{.Big}} {{json .Big}}', '1795490603469700832 1795490603469700832'],
  ['{{.Nothing}}', '<no value>'],
  ['{{.List}} {{.Map}}', '[a b] map[a:1 b:2]'],
  ['{{json .List}}{{json .Map}}', '["a","b"]{"a":1,"b":2}'],
  ['{{len .List}}{{len .Name}}', '23'],
  ['{{index .List 1}}{{index .Map "a"}}{{index .Map "none"}}', 'b1<no value>'],
  ['{{(index .Deep.Items 1).V}}', 'y'],
  ['{{range .List}}<{{.}}>{{end}}', '<a><b>'],
  ['{{range $i, $v := .List}}{{$i}}{{$v}}{{$.Name}} {{end}}', '0aweb 1bweb '],
  ['{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}', 'a=1;b=2;'],
  ['{{range .Nothing}}x{{else}}none{{end}}', 'none'],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
  ['{{if .Nothing}}yes{{else if .On}}on{{else}}no{{end}}', 'on'],
  ['{{if and .On (gt (len .List) 1)}}big{{end}}', 'big'],
  ['{{if or .Nothing (eq .Name "x" "web")}}hit{{end}}', 'hit'],
  ['{{with .Deep}}{{range .Items}}{{.V}}{{end}}{{end}}', 'xy'],
  ['{{.Name | upper | printf "%s!"}}', 'WEB!'],
  ['{{printf "%-6s|%3d|%q|%v" .Name 3 .Name .List}}', 'web   |  3|"web"|[a b]'],
  ['{{println .Name .Count}}', 'web 3\n'],
  ['{{join (split "a,b" ",") "+"}} {{split "a,b" ","}} {{title "a bc"}} {{lower "AB"}}', 'a+b [a b] A Bc ab'],
  ['{{pad .Name 1 2}}|{{truncate .Name 2}}', ' web  |we'],
  ['a {{- .Name -}} b', 'awebb'],
  ['{{/* note */}}x{{$v := .Count}}{{$v}}', 'x3'],
  ['{{not .On}} {{ne .Name "web"}} {{le 1 1}}', 'false false true'],
  ['{{define "T"}}<{{.}}>{{end}}{{template "T" .Name}}{{block "B" .List}}{{len .}}{{end}}', '<web>2'],
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

function runRow(source: string): string {
  const row = { [TYPE_NAME]: '*x.Row', Z: () => '<a>', A: () => 'b', Label: (name: string) => `l:${name}` };
  return evaluateTemplate(parseTemplate(source, FUNCTION_NAMES), rowValue(row));
}

test('a row shows its methods sorted, with HTML escapes, and names its type in errors', () => {
  assert.equal(runRow('{{json .}}'), '{"A":"b","Z":"\\u003ca\\u003e"}');
  assert.equal(runRow('{{.Label "k"}} {{.Z}}'), 'l:k <a>');
  assert.throws(() => runRow('{{.Q}}'), /can't evaluate field Q in type \*x\.Row$/);
});

const STATE = { Status: 'running', Running: true, Pid: 7, Health: { Status: 'healthy', Log: [{ Output: 'é' }] } };

function runTyped(source: string): string {
  const container = dockerValue('container.InspectResponse', {
    State: STATE,
    HostConfig: {
      NetworkMode: 'host',
      RestartPolicy: { Name: 'always' },
      PortBindings: { '80/tcp': [{ HostPort: '1' }] },
    },
    Config: { Healthcheck: { Interval: 90_000_000_000 } },
  });
  return evaluateTemplate(parseTemplate(source, FUNCTION_NAMES), container);
}

test('what the daemon leaves out prints as its zero value, structs in the order of their fields', () => {
  assert.match(runTyped('{{.State}}'), /^\{running true false false false false 7 0 {4}0xc[0-9a-f]+\}$/);
  assert.equal(runTyped('{{.HostConfig.PortBindings}}{{.Mounts}}{{.SizeRw}}'), 'map[80/tcp:[{ 1}]][]<nil>');
  assert.equal(
    runTyped('{{json .State.Health}}'),
    '{"Status":"healthy","FailingStreak":0,"Log":[{"Start":"0001-01-01T00:00:00Z","End":"0001-01-01T00:00:00Z","ExitCode":0,"Output":"é"}]}',
  );
});

test('types have their methods: a network mode knows whose it is, a duration how long', () => {
  assert.equal(runTyped('{{.HostConfig.NetworkMode.IsHost}} {{.HostConfig.RestartPolicy.IsAlways}}'), 'true true');
  assert.equal(runTyped('{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Interval.Seconds}}'), '1m30s 90');
});

test('bytes cut out of a character come out as they went in', () => {
  const text = runTyped('{{slice "aé" 0 2}}{{slice "aé" 2 3}}');
  assert.deepEqual(bytesOf(text), Buffer.from('aé'));
});
