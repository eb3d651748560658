// Owns the kinds of option values: how each is written on the command line and in daemon.json, with dockerd's words for mistakes. Pure.

import { isIP } from 'node:net';
import { isDomain } from '../lib/domain.ts';
import { parseBytes, parseGoBool, parseGoInt } from '../lib/go-text.ts';
import { parseUlimit } from '../spec/docker/decode-ulimit.ts';
import { GoJson, type JsonPlace } from './go-json.ts';
import { bindAddress } from './hosts.ts';
import { checkLabel, checkMirror, checkRegistry } from './option-checks.ts';

/** What an option's value is. */
export type Kind =
  | 'string'
  | 'bool'
  | 'int'
  | 'bytes'
  | 'ip'
  | 'list'
  | 'hosts'
  | 'labels'
  | 'mirrors'
  | 'registries'
  | 'domains'
  | 'ips'
  | 'gateways'
  | 'ulimits'
  | 'pools'
  | 'runtimes'
  | 'texts'
  | 'bools'
  | 'textMaps'
  | 'object'
  | 'any';

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

export interface AddressPool {
  readonly base: string;
  readonly size: number;
}

/** An OCI runtime that is called by path. */
export interface RuntimeOption {
  readonly path: string;
  readonly args: readonly string[];
  /** Of containerd; only ever refused. */
  readonly type?: string | undefined;
  readonly options?: unknown;
}

export interface KindRules {
  /** What --help calls a value; '' for what needs none. */
  readonly word: string;
  /** The value after one more occurrence on the command line. @throws Error in dockerd's words */
  flag(text: string, before: unknown): unknown;
  /** The value in daemon.json, which is not null. @throws Error in dockerd's words */
  json(value: unknown, place: JsonPlace, goType?: string): unknown;
}

/** Items of daemon.json are checked once all is merged, as dockerd does. */
function list(check?: (item: string) => string): KindRules {
  return {
    word: 'list',
    flag: (text, before = []) => [...(before as readonly string[]), check === undefined ? text : check(text)],
    json: (value, place) => GoJson.list(value, place, '[]string', GoJson.string),
  };
}

function ips(flagFault: (text: string) => string, goType: string, jsonFault: (text: string) => string): KindRules {
  const read = (text: string, fault: (text: string) => string): string => {
    if (isIP(text) === 0 || text.includes('%')) throw new Error(fault(text));
    return text;
  };
  return {
    word: 'list',
    flag: (text, before = []) => [
      ...(before as readonly string[]),
      ...text
        .split(',')
        .filter(Boolean)
        .map((part) => read(part.trim(), flagFault)),
    ],
    json: (value, place) =>
      GoJson.list(value, place, `[]${goType}`, (item, at) =>
        read(GoJson.string(item, at, `${goType}: JSON value must be string type`), jsonFault),
      ),
  };
}

const invalidIp = (text: string): string => `invalid IP address: ${text}`;
const unparsedIp = (text: string): string => `ParseAddr(${JSON.stringify(text)}): unable to parse IP`;

/** @source dockerd 28.5; the recorded answers in golden/dockerd.json */
export const KINDS: Readonly<Record<Kind, KindRules>> = {
  string: { word: 'string', flag: (text) => text, json: GoJson.string },
  bool: { word: '', flag: parseGoBool, json: GoJson.bool },
  int: { word: 'int', flag: parseGoInt, json: GoJson.int },
  bytes: {
    word: 'bytes',
    flag: parseBytes,
    json(value) {
      if (typeof value !== 'string') throw new Error(`invalid size: ${JSON.stringify(JSON.stringify(value))}`);
      return parseBytes(value);
    },
  },
  ip: {
    word: 'ip',
    flag(text) {
      if (text !== '' && isIP(text) === 0) throw new Error(`failed to parse IP: ${JSON.stringify(text)}`);
      return text;
    },
    json(value, place) {
      const text = GoJson.string(value, place, 'net.IP: JSON value must be string type');
      if (text !== '' && (isIP(text) === 0 || text.includes('%'))) throw new Error(invalidIp(text));
      return text;
    },
  },
  list: list(),
  hosts: list((text) => {
    bindAddress(text);
    return text;
  }),
  labels: list(checkLabel),
  mirrors: list(checkMirror),
  registries: list(checkRegistry),
  domains: list((text) => {
    if (!isDomain(text.trim())) throw new Error(`${text} is not a valid domain`);
    return text.trim();
  }),
  ips: ips((text) => `invalid string being converted to IP address: ${text}`, 'net.IP', invalidIp),
  gateways: ips(unparsedIp, 'netip.Addr', unparsedIp),
  ulimits: {
    word: 'ulimit',
    flag(text, before = {}) {
      const limit = parseUlimit(text);
      return { ...(before as object), [limit.Name ?? '']: limit };
    },
    json: (value, place) => GoJson.map(value, place, 'map[string]*units.Ulimit', (item, at) => readUlimit(item, at)),
  },
  pools: {
    word: 'pool-options',
    flag: (text, before = []) => [...(before as readonly AddressPool[]), parsePool(text)],
    json: readPools,
  },
  runtimes: {
    word: 'runtime',
    flag: addRuntime,
    json: (value, place) => GoJson.map(value, place, 'map[string]system.Runtime', readRuntime),
  },
  texts: {
    word: 'map',
    flag(text, before = {}) {
      const { name, value } = splitAt(text);
      return { ...(before as object), [name]: value ?? '' };
    },
    json: (value, place) =>
      GoJson.map(value, place, 'map[string]string', (item, at) => (item === null ? '' : GoJson.string(item, at))),
  },
  bools: {
    word: 'map',
    flag(text, before = {}) {
      const { name, value } = splitAt(text);
      if (name === '') throw new Error(`invalid option name: ${text}`);
      return { ...(before as object), [name]: value === undefined ? true : parseGoBool(value) };
    },
    json: (value, place) => GoJson.map(value, place, 'map[string]bool', GoJson.bool),
  },
  textMaps: {
    word: 'mapmap',
    flag(text, before = {}) {
      const [root, key, ...rest] = text.split('=');
      if (rest.length === 0)
        throw new Error(`invalid value ${JSON.stringify(text)} for map option, should be root-key=key=value`);
      const all = before as Readonly<Record<string, Readonly<Record<string, string>>>>;
      return { ...all, [root as string]: { ...all[root as string], [key as string]: rest.join('=') } };
    },
    json: (value, place) =>
      GoJson.map(value, place, 'map[string]map[string]string', (item, at) =>
        GoJson.map(item, at, 'map[string]string', (text, below) => GoJson.string(text, below)),
      ),
  },
  object: {
    word: 'object',
    flag: (text) => text,
    json(value, place, goType) {
      GoJson.struct(value, place, goType ?? 'struct');
      return value;
    },
  },
  any: { word: 'string', flag: (text) => text, json: (value) => value },
};

function splitAt(text: string): { readonly name: string; readonly value: string | undefined } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** Field names are found in any case, as Go does. An absent name is the key's. */
function readUlimit(value: unknown, place: JsonPlace): Ulimit {
  const fields = GoJson.struct(value, place, 'units.Ulimit');
  const number = (name: string): number => {
    const found = fields(name);
    return found === undefined ? 0 : GoJson.int(found, place.below(name), 'int64');
  };
  return { Name: place.name, Soft: number('Soft'), Hard: number('Hard') };
}

function parsePool(text: string): AddressPool {
  let [base, size] = ['', 0];
  for (const field of text.split(',')) {
    const { name, value } = splitAt(field);
    if (value === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
    if (name === 'base') {
      if (!value.includes('/')) {
        throw new Error(
          `invalid base prefix ${JSON.stringify(value)}: netip.ParsePrefix(${JSON.stringify(value)}): no '/'`,
        );
      }
      base = value;
    } else if (name === 'size') {
      if (!/^[+-]?\d+$/.test(value)) {
        const number = JSON.stringify(value);
        throw new Error(
          `invalid size value: "${text}" (must be integer): strconv.Atoi: parsing ${number}: invalid syntax`,
        );
      }
      size = Number(value);
    } else throw new Error(`unexpected key '${name}' in '${field}'`);
  }
  return { base, size };
}

function readPools(value: unknown, place: JsonPlace): readonly AddressPool[] {
  if (!Array.isArray(value)) throw GoJson.mismatch(value, 'Go value of type []*ipamutils.NetworkToSplit');
  return value.map((item: unknown, index) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      throw GoJson.mismatch(item, `.${index} of type ipamutils.NetworkToSplit`);
    }
    const fields = GoJson.struct(item, place, '');
    const [base = '', size = 0] = [fields('base'), fields('size')];
    const within = `Go struct field .${index}`;
    if (typeof base !== 'string') {
      throw GoJson.mismatch(base, `${within}.base of type netip.Prefix: JSON value must be string type`);
    }
    if (base !== '' && !base.includes('/')) throw new Error(`netip.ParsePrefix(${JSON.stringify(base)}): no '/'`);
    if (typeof size !== 'number') throw GoJson.mismatch(size, `${within}.size of type int`);
    return { base, size };
  });
}

function addRuntime(text: string, before: unknown = {}): unknown {
  const { name, value } = splitAt(text);
  const [trimmed, path] = [name.trim(), value?.trim()];
  if (!trimmed || !path) throw new Error(`invalid runtime argument: ${text}`);
  if (trimmed === 'runc') throw new Error(`runtime name 'runc' is reserved`);
  if (Object.hasOwn(before as object, trimmed)) throw new Error(`runtime '${trimmed}' was already defined`);
  return { ...(before as object), [trimmed]: { path, args: [] } satisfies RuntimeOption };
}

function readRuntime(value: unknown, place: JsonPlace): RuntimeOption {
  const fields = GoJson.struct(value, place, 'system.Runtime');
  const text = (name: string): string => {
    const found = fields(name);
    return found === undefined ? '' : GoJson.string(found, place.below(name));
  };
  const args = fields('runtimeArgs');
  const options = fields('options');
  const runtime = {
    path: text('path'),
    args: args === undefined ? [] : GoJson.list(args, place.below('runtimeArgs'), '[]string', GoJson.string),
    ...(fields('runtimeType') !== undefined && { type: text('runtimeType') }),
    ...(options !== undefined && { options }),
  };
  return runtime;
}
