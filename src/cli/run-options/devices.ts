// Owns `--device`, `--gpus` and the block IO options: their texts to HostConfig fields.
import { globSync } from 'node:fs';
import { posix } from 'node:path';
import type {
  DeviceMapping,
  DeviceRequest,
  HostConfigBlkioWeightDeviceItem,
  ThrottleDevice,
} from '../../spec/docker/types.gen.ts';
import { parseBytes, parseCsvRecord } from '../grammar/go-text.ts';

/** One `--device host[:container][:rwm]`, `*` at the end standing for every match. @throws Error in Docker's words */
export function parseDevice(text: string): DeviceMapping[] {
  const { source, target, permissions } = splitDevice(text);
  if (!source.endsWith('*')) return [deviceMapping(source, target || source, permissions)];
  if (target !== '') throw new Error(`device with * suffix can't have dst: ${text}`);
  return globSync(source).map((path) => deviceMapping(path, path, permissions));
}

function deviceMapping(source: string, target: string, permissions: string): DeviceMapping {
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions };
}

function splitDevice(text: string): { source: string; target: string; permissions: string } {
  const parts = text.split(':');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || first === '') throw new Error(`bad format for path: ${text}`);
  if (third !== undefined && !isDeviceMode(third)) throw new Error(`bad mode specified: ${third}`);
  const modeSecond = second !== undefined && third === undefined && isDeviceMode(second);
  const inside = second === undefined || modeSecond ? first : second;
  if (!posix.isAbsolute(inside)) throw new Error(`${inside} is not an absolute path`);
  return {
    source: second === undefined || modeSecond ? posix.normalize(first) : first,
    target: second === undefined || modeSecond ? '' : posix.normalize(second),
    permissions: modeSecond ? (second ?? '') : (third ?? 'rwm'),
  };
}

function isDeviceMode(mode: string): boolean {
  return /^[rwm]+$/.test(mode) && new Set(mode).size === mode.length;
}

/** `vendor.com/class=name`. @source Container Device Interface specification, which the Docker CLI tells such devices by */
const CDI_NAME = /^[a-z]([\w.-]*[a-z\d])?\/[a-z]([\w.-]*[a-z\d])?=[a-z\d]([\w.:-]*[a-z\d])?$/i;

/** True for a `--device` that its maker's specification describes, not a path. */
export function isCdiDevice(text: string): boolean {
  return CDI_NAME.test(text);
}

/** What `--gpus` and `--device` ask of drivers; undefined when nothing. */
export function deviceRequests(gpus: readonly string[], devices: readonly string[]): DeviceRequest[] | undefined {
  const names = devices.filter(isCdiDevice);
  const requests = [
    ...gpus.map(parseGpuRequest),
    ...(names.length > 0 ? [{ Driver: 'cdi', Count: 0, DeviceIDs: names }] : []),
  ];
  return requests.length > 0 ? requests : undefined;
}

/** One `--gpus` text: `all`, a count, or `key=value` fields. @throws Error in Docker's words */
export function parseGpuRequest(text: string): DeviceRequest {
  const request: { -readonly [Key in keyof DeviceRequest]: DeviceRequest[Key] } = {};
  const seen = new Set<string>();
  for (const field of parseCsvRecord(text)) {
    const equals = field.indexOf('=');
    const key = equals === -1 ? 'count' : field.slice(0, equals);
    const value = equals === -1 ? field : field.slice(equals + 1);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (key === 'count') request.Count = gpuCount(value);
    else if (key === 'driver') request.Driver = value;
    else if (key === 'device') request.DeviceIDs = value.split(',');
    else if (key === 'capabilities') request.Capabilities = [[...value.split(','), 'gpu']];
    else if (key === 'options') request.Options = keyValues(parseCsvRecord(value));
    else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  const count = seen.has('count') ? request.Count : request.DeviceIDs === undefined ? 1 : 0;
  return {
    Driver: request.Driver ?? '',
    Count: count,
    DeviceIDs: request.DeviceIDs,
    Capabilities: request.Capabilities ?? [['gpu']],
    Options: request.Options ?? {},
  };
}

function gpuCount(text: string): number {
  if (text === 'all') return -1;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
}

/** `k=v` texts as a map; a text without `=` has an empty value. */
export function keyValues(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/** One `--blkio-weight-device path:weight`. @throws Error in Docker's words */
export function parseWeightDevice(text: string): HostConfigBlkioWeightDeviceItem {
  const { path, value } = devicePair(text);
  const weight = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(weight === 0 || (weight >= 10 && weight <= 1000))) throw new Error(`invalid weight for device: ${text}`);
  return { Path: path, Weight: weight };
}

/** One `path:rate`; `unit` tells whether suffixes such as `mb` are allowed. @throws Error in Docker's words */
export function parseThrottle(text: string, unit: 'bytes' | 'operations'): ThrottleDevice {
  const { path, value } = devicePair(text);
  try {
    if (unit === 'operations' && !/^\d+$/.test(value)) throw new Error('not a number');
    return { Path: path, Rate: unit === 'bytes' ? parseBytes(value) : Number(value) };
  } catch {
    const format =
      unit === 'bytes'
        ? '<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb'
        : '<device-path>:<number>. Number must be a positive integer';
    throw new Error(`invalid rate for device: ${text}. The correct format is ${format}`);
  }
}

function devicePair(text: string): { readonly path: string; readonly value: string } {
  const colon = text.indexOf(':');
  if (colon <= 0) throw new Error(`bad format: ${text}`);
  const path = text.slice(0, colon);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
  return { path, value: text.slice(colon + 1) };
}
