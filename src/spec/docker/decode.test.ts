import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeBody } from './decode.ts';
import { parseDetachKeys } from './decode-detach-keys.ts';
import { requireJson } from './decode-media-type.ts';
import { parseGoInt, parseQuery, percentDecode, uint32Fault } from './decode-query.ts';
import { parseRegistryAuth } from './decode-registry-auth.ts';

describe('decodeBody', () => {
  it('takes field names in any case, forgets unknown fields and treats null as absent', () => {
    const body = decodeBody(
      'ContainerCreateRequest',
      '{"image":"a","TTY":true,"Zork":{"x":1},"Cmd":null,"hostconfig":{"BINDS":["/a:/b"]}}',
    );
    assert.deepEqual(body, { Image: 'a', Tty: true, HostConfig: { Binds: ['/a:/b'] } });
  });

  it('takes commands and capabilities as one string or many', () => {
    const body = decodeBody(
      'ContainerCreateRequest',
      '{"Cmd":"ls","Entrypoint":["a","b"],"HostConfig":{"CapAdd":"X"}}',
    );
    assert.deepEqual(body, { Cmd: ['ls'], Entrypoint: ['a', 'b'], HostConfig: { CapAdd: ['X'] } });
  });

  it('keeps empty maps, empty lists and maps of lists as they were sent', () => {
    const text =
      '{"ExposedPorts":{"80/tcp":{}},"Volumes":{},"Env":[],"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"1"}],"81/tcp":null}}}';
    assert.deepEqual(decodeBody('ContainerCreateRequest', text), JSON.parse(text));
  });

  it('takes 64-bit numbers to their bounds', () => {
    const body = decodeBody('ContainerCreateRequest', '{"HostConfig":{"Memory":9223372036854775807,"MemorySwap":-1}}');
    assert.deepEqual(body?.HostConfig, { Memory: 2 ** 63, MemorySwap: -1 });
  });

  it('does not let a key become a prototype', () => {
    const body = decodeBody('ContainerCreateRequest', '{"Labels":{"__proto__":"x"},"__proto__":{"Image":"y"}}');
    assert.deepEqual(Object.keys(body?.Labels ?? {}), ['__proto__']);
    assert.equal(body?.Image, undefined);
  });

  it('gives nothing for an empty text and survives deep nesting', () => {
    assert.equal(decodeBody('ExecStartRequest', ' \n'), undefined);
    assert.throws(() => decodeBody('ExecStartRequest', '['.repeat(100_000)), /exceeded max depth/);
  });
});

describe('queries', () => {
  it('reads booleans as Docker does', () => {
    const query = parseQuery('a=1&b=0&c=false&d=No&e=none&f&g=yes&h=maybe&i=%20False%20');
    const truths = [...'abcdefghiz'].filter((name) => query.bool(name));
    assert.deepEqual(truths, ['a', 'g', 'h']);
  });

  it('unescapes, keeps repeated values in order, and survives bytes that are no UTF-8', () => {
    const query = parseQuery('n=a%2Fb&n=c+d&%66=%ff');
    assert.deepEqual(query.all('n'), ['a/b', 'c d']);
    assert.equal(query.get('f'), '\ufffd');
    assert.equal(percentDecode('a+b', false), 'a+b');
  });

  it('reads integers with Go’s limits and words', () => {
    assert.equal(parseGoInt('-3'), -3);
    assert.throws(() => parseGoInt('0x1'), /strconv.Atoi: parsing "0x1": invalid syntax/);
    assert.equal(uint32Fault('4294967295'), undefined);
    assert.equal(uint32Fault('4294967296'), 'value out of range');
  });
});

describe('headers and keys', () => {
  it('accepts JSON types and no others', () => {
    requireJson('Application/Json ; charset="utf-8"', true);
    requireJson(undefined, false);
    assert.throws(() => requireJson(undefined, true), /mime: no media type/);
    assert.throws(() => requireJson('text/json', true), /unsupported Content-Type header \(text\/json\)/);
  });

  it('reads credentials, and takes damaged ones for none', () => {
    const header = Buffer.from('{"username":"u","password":"p","serveraddress":"r"}').toString('base64url');
    assert.deepEqual(parseRegistryAuth(header), { username: 'u', password: 'p', serverAddress: 'r' });
    assert.deepEqual(parseRegistryAuth(Buffer.from('{"auth":"dTpw"}').toString('base64')), {
      username: 'u',
      password: 'p',
    });
    for (const none of [undefined, '', 'e30=', '!!', Buffer.from('[').toString('base64')]) {
      assert.equal(parseRegistryAuth(none), undefined);
    }
  });

  it('reads detach keys', () => {
    assert.deepEqual(parseDetachKeys('ctrl-p,ctrl-q'), Uint8Array.of(16, 17));
    assert.deepEqual(parseDetachKeys('a,DEL,ctrl-@,ctrl-_'), Uint8Array.of(97, 127, 0, 31));
    for (const bad of ['foo', 'ctrl-1', 'ctrl-A', '', 'a,', 'é']) assert.equal(parseDetachKeys(bad), undefined);
  });
});
