// Owns the Go types of Docker's objects ready for use: the table's fields with the methods that templates may call.
import { joinedContainer } from '../../../spec/docker/join-mode.ts';
import { DOCKER_TYPES } from './docker-types.table.ts';
import { jsonOf, jsonString } from './json.ts';
import { DURATION_METHODS, TIME } from './time.ts';
import { type GoMethod, type GoType, readTypeTable, type TypeExtras, TypeReader } from './types.ts';
import { type GoValue, goBool, goInt, goString, membersOf, numberOf, rawValue, textOf } from './values.ts';

let reader: TypeReader | undefined;

/** The type that Go's text names, e.g. `container.InspectResponse` or `*types.Version`. */
function dockerType(text: string): GoType {
  reader ??= new TypeReader(readTypeTable(DOCKER_TYPES), { 'time.Time': TIME }, EXTRAS);
  return reader.type(text);
}

type Methods = Readonly<Record<string, GoMethod>>;

/** A method of a text without arguments. */
const asks = (test: (text: string) => boolean): GoMethod => ({
  params: [],
  call: (receiver) => goBool(test(textOf(receiver))),
});
const gives = (read: (text: string) => string): GoMethod => ({
  params: [],
  call: (receiver) => goString(read(textOf(receiver))),
});
const is = (...texts: readonly string[]): GoMethod => asks((text) => texts.includes(text));
const isOther = (...texts: readonly string[]): GoMethod => asks((text) => !texts.includes(text));

const isContainer = (text: string): boolean => Boolean(joinedContainer(text));
const containerOf = (text: string): string => joinedContainer(text) ?? '';

const isUserDefined = (text: string): boolean =>
  !['', 'default', 'bridge', 'host', 'none'].includes(text) && !isContainer(text);

function networkName(mode: string): string {
  if (mode === 'default') return 'default';
  return isContainer(mode) ? 'container' : mode;
}

const NETWORK_MODE: Methods = {
  IsNone: is('none'),
  IsDefault: is('default'),
  IsPrivate: asks((text) => text !== 'host' && !isContainer(text)),
  IsContainer: asks(isContainer),
  ConnectedContainer: gives(containerOf),
  UserDefined: gives((text) => (isUserDefined(text) ? text : '')),
  NetworkName: gives(networkName),
  IsBridge: is('bridge'),
  IsHost: is('host'),
  IsUserDefined: asks(isUserDefined),
};

const IPC_MODE: Methods = {
  IsPrivate: is('private'),
  IsHost: is('host'),
  IsShareable: is('shareable'),
  IsContainer: asks((text) => joinedContainer(text) !== undefined),
  IsNone: is('none'),
  IsEmpty: is(''),
  Valid: asks((text) => ['', 'none', 'private', 'host', 'shareable'].includes(text) || isContainer(text)),
  Container: gives(containerOf),
};

const PID_MODE: Methods = {
  IsPrivate: asks((text) => text !== 'host' && !isContainer(text)),
  IsHost: is('host'),
  IsContainer: asks(isContainer),
  Valid: asks((text) => text === '' || text === 'host' || isContainer(text)),
  Container: gives(containerOf),
};

/** Modes that are the host's or not. */
const HOST_OR_OWN: Methods = { IsPrivate: isOther('host'), IsHost: is('host'), Valid: is('', 'host') };

const sameNumber = (left: unknown, right: unknown): boolean => Number(left ?? 0) === Number(right ?? 0);

const restartMethod = (test: (name: string) => boolean): GoMethod => ({
  params: [],
  call: (policy) => goBool(test(String(membersOf(policy).Name ?? ''))),
});

const RESTART_POLICY: Methods = {
  IsNone: restartMethod((name) => name === 'no' || name === ''),
  IsAlways: restartMethod((name) => name === 'always'),
  IsOnFailure: restartMethod((name) => name === 'on-failure'),
  IsUnlessStopped: restartMethod((name) => name === 'unless-stopped'),
  IsSame: {
    get params() {
      return [dockerType('*container.RestartPolicy')];
    },
    call: (policy, [other]) => {
      const [left, right] = [membersOf(policy), membersOf(other ?? policy)];
      return goBool(left.Name === right.Name && sameNumber(left.MaximumRetryCount, right.MaximumRetryCount));
    },
  },
};

const portNumber = (port: string): string => port.split('/')[0] ?? '';

const PORT: Methods = {
  Port: gives(portNumber),
  Proto: gives((port) => port.split('/')[1] || 'tcp'),
  Int: { params: [], call: (port) => goInt(Number.parseInt(portNumber(textOf(port)), 10) || 0) },
};

const DIGEST: Methods = {
  Algorithm: gives((digest) => digest.slice(0, Math.max(0, digest.indexOf(':')))),
  Encoded: gives((digest) => digest.slice(digest.indexOf(':') + 1)),
  Hex: gives((digest) => digest.slice(digest.indexOf(':') + 1)),
  String: gives((digest) => digest),
};

/** A text made of the members of a struct. */
const shows = (read: (members: Readonly<Record<string, unknown>>) => string): Methods => ({
  String: { params: [], call: (receiver) => goString(read(membersOf(receiver))) },
});

const zero = (value: unknown): string => String(value ?? 0);

const MODE_BITS = 'rwxrwxrwx';
const modeText = (mode: number): string =>
  `-${[...MODE_BITS].map((letter, at) => ((mode >> (MODE_BITS.length - 1 - at)) & 1 ? letter : '-')).join('')}`;

const FILE_MODE: Methods = {
  String: { params: [], call: (mode) => goString(modeText(Number(numberOf(mode)))) },
  Perm: { params: [], call: (mode) => ({ type: mode.type, data: Number(numberOf(mode)) & 0o777 }) },
  IsDir: { params: [], call: () => goBool(false) },
  IsRegular: { params: [], call: () => goBool(true) },
};

/** As a map: keys sorted, and what the daemon does not send left out. */
function serviceConfigJson(data: unknown): string {
  const config = data as Readonly<Record<string, unknown>>;
  const optional = ['AllowNondistributableArtifactsCIDRs', 'AllowNondistributableArtifactsHostnames'];
  const sent = Object.entries(config).filter(([key, value]) => !optional.includes(key) || value);
  return jsonOf(rawValue(Object.fromEntries(sent)));
}

/** A description beside whatever else the context's metadata holds. */
const contextMetadataJson = (data: unknown): string => jsonOf(rawValue(data ?? {}));

const textJson = (data: unknown): string => jsonString(typeof data === 'string' ? data : '');

const EXTRAS: TypeExtras = {
  'blkiodev.ThrottleDevice': { methods: shows((device) => `${device.Path ?? ''}:${zero(device.Rate)}`) },
  'blkiodev.WeightDevice': { methods: shows((device) => `${device.Path ?? ''}:${zero(device.Weight)}`) },
  'command.DockerContext': { json: contextMetadataJson },
  'container.CgroupSpec': {
    methods: {
      IsContainer: asks((text) => joinedContainer(text) !== undefined),
      Valid: asks(isContainer),
      Container: gives(containerOf),
    },
  },
  'container.CgroupnsMode': {
    methods: { IsPrivate: is('private'), IsHost: is('host'), IsEmpty: is(''), Valid: is('', 'private', 'host') },
  },
  'container.IpcMode': { methods: IPC_MODE },
  'container.Isolation': {
    methods: {
      IsDefault: asks((text) => text === '' || text.toLowerCase() === 'default'),
      IsHyperV: asks((text) => text.toLowerCase() === 'hyperv'),
      IsProcess: asks((text) => text.toLowerCase() === 'process'),
    },
  },
  'container.NetworkMode': { methods: NETWORK_MODE },
  'container.PidMode': { methods: PID_MODE },
  'container.RestartPolicy': { methods: RESTART_POLICY },
  'container.UTSMode': { methods: HOST_OR_OWN },
  'container.UsernsMode': { methods: HOST_OR_OWN },
  'digest.Digest': { methods: DIGEST },
  'fs.FileMode': { methods: FILE_MODE },
  'nat.Port': { methods: PORT },
  'registry.NetIPNet': { methods: { String: gives((text) => text) }, json: textJson },
  'registry.ServiceConfig': { json: serviceConfigJson },
  'time.Duration': { methods: DURATION_METHODS },
  'units.Ulimit': {
    methods: shows((limit) => `${limit.Name ?? ''}=${zero(limit.Soft)}:${zero(limit.Hard)}`),
  },
};

/** `data` of the Docker object type `name`. */
export const dockerValue = (name: string, data: unknown): GoValue => ({ type: dockerType(name), data });
