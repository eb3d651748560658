// Owns `-p` and `--expose`: port texts to ExposedPorts and PortBindings. Opens no port.

import { isIP } from 'node:net';
import type { PortBinding } from '../../spec/docker/types.gen.ts';
import { HintedError } from '../failure.ts';
import { parseGoUint } from '../grammar/go-text.ts';
import { PORT_FORM } from '../hints.table.ts';

/** The two port fields of a create body. */
export interface PortFields {
  readonly ExposedPorts: Record<string, Record<string, never>>;
  readonly PortBindings: Record<string, PortBinding[]>;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The fields for `publish` (`[[ip:]host:]container[/proto]`, ranges, or `target=80,published=8080`) and `expose`.
 * @throws Error in Docker's words
 * @source docker/go-connections nat.ParsePortSpecs
 */
export function portFields(publish: readonly string[], expose: readonly string[]): PortFields {
  const exposed: PortFields['ExposedPorts'] = {};
  const bindings: PortFields['PortBindings'] = {};
  for (const text of publish) {
    for (const { port, binding } of parsePublish(text.includes('=') ? shortPublish(text) : text)) {
      exposed[port] = {};
      const known = bindings[port] ?? [];
      known.push(binding);
      bindings[port] = known;
    }
  }
  for (const text of expose) for (const port of parseExpose(text)) exposed[port] = {};
  return { ExposedPorts: exposed, PortBindings: bindings };
}

function shortPublish(text: string): string {
  const params: Record<string, string> = { protocol: 'tcp' };
  for (const param of text.split(',')) {
    const equals = param.indexOf('=');
    if (equals <= 0) {
      throw new HintedError(`invalid publish opts format (should be name=value but got '${param}')`, PORT_FORM);
    }
    params[param.slice(0, equals)] = param.slice(equals + 1);
  }
  return `${params.published ?? ''}:${params.target ?? ''}/${params.protocol ?? ''}`;
}

function parsePublish(text: string): { readonly port: string; readonly binding: PortBinding }[] {
  const parts = text.split(':');
  const { protocol, port: containerText } = splitProtocol(parts.pop() ?? '');
  const hostText = parts.pop() ?? '';
  const ip = hostIp(parts.join(':'));
  if (containerText === '') throw new Error(`no port specified: ${text}<empty>`);
  const container = rangeOr(containerText, `invalid containerPort: ${containerText}`);
  const host = hostText === '' ? undefined : rangeOr(hostText, `invalid hostPort: ${hostText}`);
  const single = container.first === container.last;
  if (host !== undefined && !single && container.last - container.first !== host.last - host.first) {
    throw new HintedError(
      `invalid ranges specified for container and host Ports: ${containerText} and ${hostText}`,
      PORT_FORM,
    );
  }
  const kind = checkedProtocol(protocol);
  const found: { port: string; binding: PortBinding }[] = [];
  for (let number = container.first; number <= container.last; number++) {
    found.push({
      port: `${number}/${kind}`,
      binding: { HostIp: ip, HostPort: hostPortText(host, single, number - container.first) },
    });
  }
  return found;
}

function hostPortText(host: PortRange | undefined, single: boolean, at: number): string {
  if (host === undefined) return '';
  return single && host.first !== host.last ? `${host.first}-${host.last}` : String(host.first + at);
}

function hostIp(text: string): string {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (bare !== '' && isIP(bare) === 0) throw new HintedError(`invalid IP address: ${bare}`, PORT_FORM);
  return bare;
}

function parseExpose(text: string): string[] {
  if (text.includes(':')) throw new HintedError(`invalid port format for --expose: ${text}`, PORT_FORM);
  const { protocol, port } = splitProtocol(text);
  let range: PortRange;
  try {
    range = parseRange(port);
  } catch (error) {
    throw new Error(
      `invalid range format for --expose: ${text}, error: ${error instanceof Error ? error.message : ''}`,
    );
  }
  const ports: string[] = [];
  for (let number = range.first; number <= range.last; number++) ports.push(`${number}/${protocol}`);
  return ports;
}

function splitProtocol(text: string): { readonly protocol: string; readonly port: string } {
  const slash = text.indexOf('/');
  if (slash === -1) return { protocol: 'tcp', port: text };
  return { protocol: text.slice(slash + 1) || 'tcp', port: text.slice(0, slash) };
}

function checkedProtocol(protocol: string): string {
  const lower = protocol.toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(lower)) throw new HintedError(`invalid proto: ${protocol}`, PORT_FORM);
  return lower;
}

function rangeOr(text: string, complaint: string): PortRange {
  try {
    return parseRange(text);
  } catch {
    throw new HintedError(complaint, PORT_FORM);
  }
}

function parseRange(text: string): PortRange {
  if (text === '') throw new Error('empty string specified for ports');
  const dash = text.indexOf('-');
  if (dash === -1) {
    const port = parseGoUint(text, 16);
    return { first: port, last: port };
  }
  const first = parseGoUint(text.slice(0, dash), 16);
  const last = parseGoUint(text.slice(dash + 1), 16);
  if (last < first) throw new HintedError(`invalid range specified for port: ${text}`, PORT_FORM);
  return { first, last };
}
