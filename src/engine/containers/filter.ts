// Owns Docker's container list filters.

import { nowNano, parseNano } from '../../lib/clock.ts';
import { GantryError } from '../../lib/errors.ts';
import { textsMatching } from '../../lib/pattern.ts';
import { matchesLabels } from '../../spec/docker/filters.ts';
import { parseMoment } from '../../spec/time.ts';
import type { Context } from './context.ts';
import { isAlive } from './state.ts';
import type { ContainerRecord } from './types.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
type Test = (record: ContainerRecord) => boolean;

const PHASES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** The records that pass every key; values of one key are alternatives (all of them for labels). @throws INVALID_FILTER */
export function filterRecords(
  context: Pick<Context, 'records' | 'images' | 'networks' | 'health'>,
  records: readonly ContainerRecord[],
  filters: Filters,
): readonly ContainerRecord[] {
  const tests = [...filters].flatMap(([key, values]) =>
    values.length > 0 ? [testFor(context, key, values, records)] : [],
  );
  return records.filter((record) => tests.every((test) => test(record)));
}

function testFor(
  context: Pick<Context, 'records' | 'images' | 'networks' | 'health'>,
  key: string,
  values: readonly string[],
  records: readonly ContainerRecord[],
): Test {
  const some = (test: (record: ContainerRecord, value: string) => boolean): Test => {
    return (record) => values.some((value) => test(record, value));
  };
  switch (key) {
    case 'id':
      return some((record, value) => value !== '' && record.id.startsWith(value));
    case 'name':
      return nameTest(values, records);
    case 'label':
      return ({ config }) => matchesLabels(config.Labels ?? {}, values);
    case 'label!':
      return ({ config }) => !matchesLabels(config.Labels ?? {}, values);
    case 'status':
      return statusTest(values);
    case 'exited':
      return exitedTest(values);
    case 'ancestor':
      return ancestorTest(context, values);
    case 'before':
    case 'since':
      return ageTest(context, key, values);
    case 'until':
      return untilTest(values);
    case 'volume':
      return some((record, value) =>
        record.mounts.some((mount) => (mount.name ?? mount.source) === value || mount.destination === value),
      );
    case 'network':
      return some((record, value) => onNetwork(context, record, value));
    case 'publish':
    case 'expose':
      return some((record, value) => portMatches(record, key, value));
    case 'health':
      return some((record, value) => (context.health.of(record.id)?.status ?? 'none') === value);
    case 'is-task':
      return some((_, value) => /^(0|false)$/i.test(value));
    case 'isolation':
      return () => true;
    default:
      throw new GantryError('invalid', 'INVALID_FILTER', `invalid filter '${key}'`);
  }
}

/** All names at once: an expression that takes too long is then refused after one short while. */
function nameTest(values: readonly string[], records: readonly ContainerRecord[]): Test {
  const names = records.flatMap(({ name }) => [name, `/${name}`]);
  const found = new Set(values.flatMap((value) => [...namesMatching(value, names)]));
  return ({ name }) => found.has(name) || found.has(`/${name}`);
}

function namesMatching(value: string, names: readonly string[]): Iterable<string> {
  try {
    return textsMatching(value, names);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function statusTest(values: readonly string[]): Test {
  const unknown = values.find((value) => !PHASES.includes(value));
  if (unknown !== undefined) {
    throw new GantryError('invalid', 'INVALID_FILTER', `invalid filter 'status=${unknown}'`);
  }
  return (record) => values.includes(record.state.phase);
}

function exitedTest(values: readonly string[]): Test {
  const codes = values.map((value) => {
    if (!/^-?\d+$/.test(value)) {
      throw new GantryError('invalid', 'INVALID_FILTER', `strconv.Atoi: parsing "${value}": invalid syntax`);
    }
    return Number(value);
  });
  return ({ state }) => state.phase === 'exited' && codes.includes(state.exitCode);
}

function ancestorTest({ images }: Pick<Context, 'images'>, values: readonly string[]): Test {
  const ids = new Set<string>();
  for (const value of values) {
    try {
      ids.add(images.get(value).id);
    } catch {
      // An image that is not there has no containers, except by the name they were made with.
    }
  }
  return (record) => ids.has(record.imageId) || values.includes(record.imageName);
}

function ageTest({ records }: Pick<Context, 'records'>, key: string, values: readonly string[]): Test {
  const times = values.map((value) => parseNano(records.find(value).created));
  return (record) => {
    const created = parseNano(record.created);
    return times.every((time) => (key === 'before' ? created < time : created > time));
  };
}

function untilTest(values: readonly string[]): Test {
  const times = values.map((value) => {
    const time = parseMoment(value, nowNano());
    if (time === undefined) throw new GantryError('invalid', 'INVALID_FILTER', `invalid filter 'until=${value}'`);
    return time;
  });
  return (record) => times.every((time) => parseNano(record.created) < time);
}

function onNetwork({ networks }: Pick<Context, 'networks'>, record: ContainerRecord, value: string): boolean {
  if (Object.hasOwn(record.networks, value)) return true;
  return networks
    .list()
    .some((network) => network.id.startsWith(value) && Object.hasOwn(record.networks, network.name));
}

function portMatches(record: ContainerRecord, key: string, value: string): boolean {
  const [range = '', protocol = 'tcp'] = value.split('/');
  const [first = '0', last = first] = range.split('-');
  const inRange = (port: number): boolean => port >= Number(first) && port <= Number(last);
  if (key === 'publish') {
    return record.endpoints.some(({ ports }) =>
      ports.some((port) => port.protocol === protocol && inRange(port.hostPort)),
    );
  }
  // Docker looks at the ports that `ps` shows: a container that does not run has none.
  if (!isAlive(record.state.phase)) return false;
  return Object.keys(record.config.ExposedPorts ?? {}).some((text) => {
    const [port = '', kind = 'tcp'] = text.split('/');
    return kind === protocol && inRange(Number(port));
  });
}
