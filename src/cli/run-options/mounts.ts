// Owns `-v`, `--mount` and `--tmpfs`: their texts to Binds, Volumes, Mounts and Tmpfs. Touches no file.
import { isAbsolute, resolve } from 'node:path';
import type { Mount } from '../../spec/docker/types.gen.ts';
import { parseBytes, parseCsvRecord, parseGoBool } from '../grammar/go-text.ts';

/** What `-v` becomes: binds of paths or named volumes, and anonymous volumes by target. */
export interface VolumeFields {
  readonly binds: string[];
  readonly volumes: Record<string, Record<string, never>>;
}

/** `-v` texts, relative host paths (`./x`) made absolute under `cwd`. @source docker 28.2.2 */
export function volumeFields(texts: readonly string[], cwd: string): VolumeFields {
  const binds: string[] = [];
  const volumes: VolumeFields['volumes'] = {};
  for (const text of new Set(texts)) {
    const colon = text.indexOf(':');
    if (colon <= 0) {
      volumes[text] = {};
      continue;
    }
    const source = text.slice(0, colon);
    const absolute = source.startsWith('.') && !isAbsolute(source) ? resolve(cwd, source) : source;
    binds.push(absolute + text.slice(colon));
  }
  return { binds, volumes };
}

/** `--tmpfs path[:options]` by path. */
export function tmpfsField(texts: readonly string[]): Record<string, string> {
  const field: Record<string, string> = {};
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon === -1) field[text] = '';
    else field[text.slice(0, colon)] = text.slice(colon + 1);
  }
  return field;
}

type Draft = {
  -readonly [Key in keyof Mount]: Mount[Key];
};

/**
 * One `--mount` text.
 * @throws Error in Docker's words
 * @source docker 28.2.2 opts.MountOpt
 */
export function parseMount(text: string, cwd: string): Mount {
  const draft: Draft = { Type: 'volume' };
  for (const field of parseCsvRecord(text)) readField(draft, field, cwd);
  if (draft.Type === '') throw new Error('type is required');
  if (!draft.Target) throw new Error('target is required');
  refuseForeignOptions(draft);
  refuseLooseReadonly(draft);
  return draft;
}

function readField(draft: Draft, field: string, cwd: string): void {
  const equals = field.indexOf('=');
  const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
  if (equals === -1 && !BARE_KEYS.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
  const value = equals === -1 ? 'true' : field.slice(equals + 1);
  const read = READERS[key];
  if (read === undefined) throw new Error(`unexpected key '${key}' in '${field}'`);
  read(draft, value, key, cwd);
}

const BARE_KEYS = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']);

type Reader = (draft: Draft, value: string, key: string, cwd: string) => void;

const readSource: Reader = (draft, value, _key, cwd) => {
  draft.Source = value === '.' || value.startsWith('./') ? resolve(cwd, value) : value;
};
const readTarget: Reader = (draft, value) => {
  draft.Target = value;
};
const readReadOnly: Reader = (draft, value, key) => {
  if (flagOf(value, key)) draft.ReadOnly = true;
};

const READERS: Readonly<Record<string, Reader>> = {
  type: (draft, value) => {
    draft.Type = value.toLowerCase();
  },
  source: readSource,
  src: readSource,
  target: readTarget,
  dst: readTarget,
  destination: readTarget,
  readonly: readReadOnly,
  ro: readReadOnly,
  consistency: (draft, value) => {
    draft.Consistency = value.toLowerCase();
  },
  'bind-propagation': (draft, value) => {
    draft.BindOptions = { ...draft.BindOptions, Propagation: value.toLowerCase() };
  },
  'bind-nonrecursive': (draft, value, key) => {
    draft.BindOptions = { ...draft.BindOptions, ...(flagOf(value, key) ? { NonRecursive: true } : {}) };
  },
  'bind-recursive': (draft, value, key) => {
    draft.BindOptions = { ...draft.BindOptions, ...recursiveOption(value, key) };
  },
  'volume-subpath': (draft, value) => {
    draft.VolumeOptions = { ...volumeOptions(draft), Subpath: value };
  },
  'volume-nocopy': (draft, value, key) => {
    draft.VolumeOptions = { ...volumeOptions(draft), ...(flagOf(value, key) ? { NoCopy: true } : {}) };
  },
  'volume-label': (draft, value) => {
    draft.VolumeOptions = { ...volumeOptions(draft), Labels: { ...draft.VolumeOptions?.Labels, ...pairOf(value) } };
  },
  'volume-driver': (draft, value) => {
    const options = volumeOptions(draft);
    draft.VolumeOptions = { ...options, DriverConfig: { ...options.DriverConfig, Name: value } };
  },
  'volume-opt': (draft, value) => {
    const options = volumeOptions(draft);
    const driver = options.DriverConfig;
    draft.VolumeOptions = {
      ...options,
      DriverConfig: { ...driver, Options: { ...driver?.Options, ...pairOf(value) } },
    };
  },
  'image-subpath': (draft, value) => {
    draft.ImageOptions = { ...draft.ImageOptions, Subpath: value };
  },
  'tmpfs-size': (draft, value, key) => {
    draft.TmpfsOptions = { ...draft.TmpfsOptions, SizeBytes: checked(() => parseBytes(value), key, value) };
  },
  'tmpfs-mode': (draft, value, key) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
    draft.TmpfsOptions = { ...draft.TmpfsOptions, Mode: Number.parseInt(value, 8) };
  },
};

function volumeOptions(draft: Draft): NonNullable<Mount['VolumeOptions']> {
  return { DriverConfig: {}, ...draft.VolumeOptions };
}

function recursiveOption(value: string, key: string): NonNullable<Mount['BindOptions']> {
  switch (value) {
    case 'enabled':
      return {};
    case 'disabled':
      return { NonRecursive: true };
    case 'writable':
      return { ReadOnlyNonRecursive: true };
    case 'readonly':
      return { ReadOnlyForceRecursive: true };
    default:
      throw new Error(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`);
  }
}

function flagOf(value: string, key: string): boolean {
  return checked(() => parseGoBool(value), key, value);
}

function checked<T>(read: () => T, key: string, value: string): T {
  try {
    return read();
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`);
  }
}

function pairOf(text: string): Record<string, string> {
  const equals = text.indexOf('=');
  const key = equals === -1 ? text : text.slice(0, equals);
  return key === '' ? {} : { [key]: equals === -1 ? '' : text.slice(equals + 1) };
}

function refuseForeignOptions(draft: Draft): void {
  const owners = [
    ['volume', draft.VolumeOptions],
    ['bind', draft.BindOptions],
    ['image', draft.ImageOptions],
    ['tmpfs', draft.TmpfsOptions],
  ] as const;
  for (const [type, options] of owners) {
    if (options !== undefined && draft.Type !== type) {
      throw new Error(`cannot mix '${type}-*' options with mount type '${draft.Type}'`);
    }
  }
}

function refuseLooseReadonly(draft: Draft): void {
  const bind = draft.BindOptions;
  if (bind?.ReadOnlyNonRecursive && !draft.ReadOnly) {
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  }
  if (!bind?.ReadOnlyForceRecursive) return;
  if (!draft.ReadOnly) {
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
  }
  if (bind.Propagation !== 'rprivate') {
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    );
  }
}
