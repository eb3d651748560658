// Owns `--network`, `--network-alias`, `--ip`, `--link` and `--mac-address`: their texts to NetworkMode and endpoints.
import type { EndpointSettings } from '../../spec/docker/types.gen.ts';
import type { Flags } from '../grammar/flags.ts';
import { goQuote, parseCsvRecord, parseGoInt } from '../grammar/go-text.ts';

/** The network fields of a create body. */
export interface NetworkFields {
  readonly mode: string;
  readonly endpoints: Record<string, EndpointSettings>;
}

interface Attachment {
  target: string;
  aliases: string[];
  links: string[];
  driverOptions: Record<string, string>;
  ipv4: string;
  ipv6: string;
  linkLocalIps: string[];
  macAddress: string;
  gatewayPriority: number;
}

/** One `--network` text, short (`name`) or long (`name=n,alias=a,ip=…`). @throws Error in Docker's words */
export function parseNetwork(text: string): Attachment {
  const attachment = emptyAttachment();
  if (!/\w+=\w+(,\w+=\w+)*/.test(text)) {
    attachment.target = text;
    return attachment;
  }
  for (const field of parseCsvRecord(text)) readField(attachment, field);
  if (attachment.target === '') throw new Error('network name/id is not specified');
  return attachment;
}

function emptyAttachment(): Attachment {
  return {
    target: '',
    aliases: [],
    links: [],
    driverOptions: {},
    ipv4: '',
    ipv6: '',
    linkLocalIps: [],
    macAddress: '',
    gatewayPriority: 0,
  };
}

function readField(attachment: Attachment, field: string): void {
  const equals = field.indexOf('=');
  if (equals <= 0) throw new Error(`invalid field ${field}`);
  const key = field.slice(0, equals).trim();
  const value = field.slice(equals + 1).trim();
  switch (key) {
    case 'name':
      attachment.target = value;
      break;
    case 'alias':
      attachment.aliases.push(value);
      break;
    case 'driver-opt':
      readDriverOption(attachment, value);
      break;
    case 'ip':
      attachment.ipv4 = value;
      break;
    case 'ip6':
      attachment.ipv6 = value;
      break;
    case 'mac-address':
      checkMacAddress(value);
      attachment.macAddress = value;
      break;
    case 'link-local-ip':
      attachment.linkLocalIps.push(value);
      break;
    case 'gw-priority':
      attachment.gatewayPriority = gatewayPriority(value);
      break;
    default:
      throw new Error(`invalid field key ${key}`);
  }
}

function readDriverOption(attachment: Attachment, text: string): void {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new Error('invalid key value pair format in driver options');
  attachment.driverOptions[text.slice(0, equals).trim()] = text.slice(equals + 1).trim();
}

function gatewayPriority(value: string): number {
  try {
    return parseGoInt(value);
  } catch {
    throw new Error(`invalid gw-priority (${value}): invalid syntax`);
  }
}

/** @throws Error in Docker's words */
export function checkMacAddress(text: string): void {
  if (!/^([0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(\2[0-9a-fA-F]{2}){4}|([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4})$/.test(text)) {
    throw new Error(`${text} is not a valid mac address`);
  }
}

/** The network fields for the flags of run or create. @throws Error in Docker's words */
export function networkFields(flags: Flags): NetworkFields {
  const attachments = [...flags.list('net'), ...flags.list('network')].map(parseNetwork);
  if (attachments.length === 0) attachments.push({ ...emptyAttachment(), target: 'default' });
  const first = attachments[0] ?? emptyAttachment();
  applyPlainFlags(first, flags);
  const endpoints: NetworkFields['endpoints'] = {};
  for (const attachment of attachments) {
    if (endpoints[attachment.target] !== undefined) {
      throw new Error(`network ${goQuote(attachment.target)} is specified multiple times`);
    }
    endpoints[attachment.target] = endpointOf(attachment);
  }
  // Docker's client leaves out a single network that has nothing special; the daemon fills it in from the mode.
  const given = flags.changed('net') || flags.changed('network');
  if (given && attachments.length === 1 && isPlain(first)) return { mode: first.target, endpoints: {} };
  const kinds = new Set(attachments.map((attachment) => isUserDefined(attachment.target)));
  if (kinds.size > 1) {
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  }
  return { mode: first.target, endpoints };
}

function applyPlainFlags(first: Attachment, flags: Flags): void {
  const aliases = [...flags.list('net-alias'), ...flags.list('network-alias')];
  const links = flags.list('link');
  const refuse = (clash: boolean, what: string): void => {
    if (clash) throw new Error(`conflicting options: cannot specify both ${what}`);
  };
  refuse(first.aliases.length > 0 && aliases.length > 0, '--network-alias and per-network alias');
  refuse(first.links.length > 0 && links.length > 0, '--link and per-network links');
  refuse(first.ipv4 !== '' && flags.text('ip') !== '', '--ip and per-network IPv4 address');
  refuse(first.ipv6 !== '' && flags.text('ip6') !== '', '--ip6 and per-network IPv6 address');
  refuse(first.macAddress !== '' && flags.text('mac-address') !== '', '--mac-address and per-network MAC address');
  refuse(
    first.linkLocalIps.length > 0 && flags.list('link-local-ip').length > 0,
    '--link-local-ip and per-network link-local IP addresses',
  );
  if (aliases.length > 0) first.aliases = aliases;
  if (links.length > 0 && isUserDefined(first.target)) first.links = [...links];
  first.ipv4 ||= flags.text('ip');
  first.ipv6 ||= flags.text('ip6');
  first.macAddress ||= flags.text('mac-address');
  if (flags.list('link-local-ip').length > 0) first.linkLocalIps = [...flags.list('link-local-ip')];
}

function isPlain(attachment: Attachment): boolean {
  return JSON.stringify(attachment) === JSON.stringify({ ...emptyAttachment(), target: attachment.target });
}

function isUserDefined(mode: string): boolean {
  return !/^(default|bridge|host|none|container(:.*)?)$/.test(mode);
}

function endpointOf(attachment: Attachment): EndpointSettings {
  if (attachment.target.trim() === '') throw new Error('no name set for network');
  if (!isUserDefined(attachment.target) && attachment.aliases.length > 0) {
    throw new Error('network-scoped aliases are only supported for user-defined networks');
  }
  const { ipv4, ipv6, linkLocalIps } = attachment;
  const hasAddress = ipv4 !== '' || ipv6 !== '' || linkLocalIps.length > 0;
  const addresses = {
    IPv4Address: ipv4 || undefined,
    IPv6Address: ipv6 || undefined,
    LinkLocalIPs: linkLocalIps.length === 0 ? undefined : linkLocalIps,
  };
  return {
    IPAMConfig: hasAddress ? addresses : undefined,
    Links: attachment.links.length === 0 ? undefined : attachment.links,
    Aliases: attachment.aliases.length === 0 ? undefined : attachment.aliases,
    MacAddress: attachment.macAddress,
    DriverOpts: Object.keys(attachment.driverOptions).length === 0 ? undefined : attachment.driverOptions,
    GwPriority: attachment.gatewayPriority,
  };
}
