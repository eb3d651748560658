// Owns the second phase of opening an engine: events, and what containers are made of (images, volumes, networks).

import { messageOf } from '../lib/errors.ts';
import { createEvents } from './events/index.ts';
import type { Ground } from './ground.ts';
import { createImages } from './images/index.ts';
import { createNetworks, DEFAULT_ADDRESS_POOLS } from './networks/index.ts';
import type { EngineOptions } from './options.ts';
import { createVolumes } from './volumes/index.ts';

/** What containers are made of. */
export interface Stores {
  readonly events: ReturnType<typeof createEvents>;
  readonly images: ReturnType<typeof createImages>;
  readonly volumes: ReturnType<typeof createVolumes>;
  readonly networks: ReturnType<typeof createNetworks>;
}

/** Pushes onto `stack` what is to be closed. */
export function openStores(options: EngineOptions, ground: Ground, stack: AsyncDisposableStack): Stores {
  const { db, records, folders, settings } = ground;
  const events = createEvents();
  const { publish } = events;
  const images = stack.use(
    createImages({
      db,
      contentDir: folders.content,
      layersDir: folders.layers,
      registries: settings.registries,
      users: { usersOf: (imageId) => records.ofImage(imageId) },
      publish,
    }),
  );
  const volumes = createVolumes({ db, dir: folders.volumes, publish, usersOf: (name) => records.ofVolume(name) });
  const networks = openNetworks(options, ground, publish);
  stack.defer(async () => {
    if (ground.isUnused()) await networks.teardown().catch((error) => options.log('warn', messageOf(error)));
    await networks.close();
  });
  return { events, images, volumes, networks };
}

function openNetworks(
  options: EngineOptions,
  { db, instance }: Ground,
  publish: Stores['events']['publish'],
): Stores['networks'] {
  const { bridge, bip, addressPools, userlandProxy, mtu, icc, hostIp, ipForward, ipMasq, iptables } = options;
  return createNetworks({
    database: db,
    publish,
    options: {
      bridgeName: bridge,
      bip: bip || undefined,
      addressPools: addressPools.length > 0 ? addressPools : DEFAULT_ADDRESS_POOLS,
      instance,
      userlandProxy,
      mtu,
      icc,
      hostIp,
      ipForward,
      ipMasq,
      iptables,
    },
    log: (message) => options.log('warn', message),
  });
}
