// Owns the network records in the database: the three predefined ones, made at first use, whose ids never change.

import { isDeepStrictEqual } from 'node:util';
import { formatNano, nowNano } from '../../lib/clock.ts';
import { GantryError } from '../../lib/errors.ts';
import { findByRef } from '../../lib/find-by-ref.ts';
import { randomId } from '../../lib/ids.ts';
import type { Database } from '../../store/database.ts';
import { NETWORK_JSON } from './record-json.ts';
import type { NetworkRecord, NetworksOptions } from './types.ts';

const MIGRATIONS = {
  name: 'networks',
  steps: [
    'CREATE TABLE networks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT',
    // JSON says its version from here on: a program that does not know that stops here.
    'SELECT 1',
  ],
};

/** The records of one daemon. */
export interface NetworkRecords {
  list(): readonly NetworkRecord[];
  /** By name, id or unique id prefix. @throws NETWORK_NOT_FOUND, NETWORK_AMBIGUOUS */
  get(ref: string): NetworkRecord;
  put(record: NetworkRecord): void;
}

/** What the default bridge's record shows of the daemon's configuration. */
type BridgeOptions = Pick<NetworksOptions, 'bridgeName' | 'mtu' | 'icc' | 'ipMasq' | 'hostIp'>;

/** Opens the records; makes `bridge` (unless `bridgeName` is `none`), `host` and `none` where they lack. */
export function openNetworkRecords(database: Database, options: BridgeOptions): NetworkRecords {
  const { bridgeName } = options;
  database.migrate(MIGRATIONS);
  const put = (record: NetworkRecord): void => {
    const text =
      'INSERT INTO networks (id, name, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record';
    database.sql(text).run(record.id, record.name, NETWORK_JSON.write(record));
  };
  const all = (): NetworkRecord[] =>
    database
      .sql('SELECT name, record FROM networks ORDER BY name')
      .all()
      .map((row) => NETWORK_JSON.read(String(row.record), String(row.name)))
      .filter(({ driver }) => driver !== 'bridge' || bridgeName !== 'none');
  database.transaction(() => {
    const known = new Map(all().map((record) => [record.name, record]));
    for (const wanted of predefined(options)) {
      const record = known.get(wanted.name);
      if (!record) put(wanted);
      else if (record.bridgeName !== wanted.bridgeName) put({ ...wanted, id: record.id, created: record.created });
      else if (!isDeepStrictEqual(record.options, wanted.options)) put({ ...record, options: wanted.options });
    }
  });
  let records = all();
  return {
    list: () => records,
    get: (ref) => find(records, ref),
    put(record) {
      put(record);
      records = all();
    },
  };
}

function find(records: readonly NetworkRecord[], ref: string): NetworkRecord {
  const found = findByRef(ref, {
    exact: () => records.find(({ id, name }) => name === ref || id === ref),
    startingWith: (prefix) => records.filter(({ id }) => id.startsWith(prefix)),
  });
  if (found.kind === 'one') return found.item;
  const params = { ref };
  if (found.kind === 'many') {
    const message = `network ${ref} is ambiguous (${found.count} matches found based on ID prefix)`;
    throw new GantryError('invalid', 'NETWORK_AMBIGUOUS', message, { params });
  }
  throw new GantryError('notFound', 'NETWORK_NOT_FOUND', `network ${ref} not found`, { params });
}

function predefined({ bridgeName, mtu = 1500, icc = true, ipMasq = true, hostIp }: BridgeOptions): NetworkRecord[] {
  const base = { created: formatNano(nowNano()), internal: false, enableIPv6: false, labels: {}, ipam: [] };
  const bridge: NetworkRecord = {
    ...base,
    id: randomId(),
    name: 'bridge',
    driver: 'bridge',
    bridgeName,
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': String(icc),
      'com.docker.network.bridge.enable_ip_masquerade': String(ipMasq),
      'com.docker.network.bridge.host_binding_ipv4': hostIp || '0.0.0.0',
      'com.docker.network.bridge.name': bridgeName,
      'com.docker.network.driver.mtu': String(mtu),
    },
  };
  const bare = { ...base, options: {}, bridgeName: '' };
  return [
    ...(bridgeName === 'none' ? [] : [bridge]),
    { ...bare, id: randomId(), name: 'host', driver: 'host' },
    { ...bare, id: randomId(), name: 'none', driver: 'null' },
  ];
}
