// Owns what the configuration means for the engine. Pure.

import type { ReloadableSettings } from '../engine/index.ts';
import type { DaemonConfig } from './config.ts';

/** Settings that a reload may change, as the configuration has them. */
export function engineSettings(config: DaemonConfig): ReloadableSettings {
  const { insecureRegistries, registryMirrors, maxConcurrentDownloads, maxDownloadAttempts } = config;
  const { debug, labels, liveRestore, runtimes, defaultRuntime } = config;
  return {
    debug,
    labels,
    liveRestore,
    runtimes,
    defaultRuntime,
    insecureRegistries,
    registryMirrors,
    maxConcurrentDownloads,
    maxDownloadAttempts,
    defaults: {
      shmSizeBytes: config.shmSizeBytes,
      ipcMode: config.ipcMode,
      cgroupnsMode: config.cgroupnsMode,
      cgroupParent: config.cgroupParent,
      ulimits: Object.values(config.ulimits),
      stopTimeoutSeconds: config.stopTimeoutSeconds,
      dns: config.dns,
      dnsSearch: config.dnsSearch,
      dnsOptions: config.dnsOptions,
      hostGatewayIps: config.hostGatewayIps,
    },
  };
}

/** The attributes of the event `daemon reload`. @source dockerd 28.5 */
export function reloadAttributes(config: DaemonConfig, name: string): Readonly<Record<string, string>> {
  const runtimes = Object.entries(config.runtimes).map(([runtime, { path }]) => `${runtime}:${path}`);
  const features = Object.entries(config.features).map(([feature, isOn]) => `${feature}:${isOn}`);
  return {
    name,
    debug: String(config.debug),
    'default-cgroupns-mode': config.cgroupnsMode,
    'default-ipc-mode': config.ipcMode,
    'default-runtime': config.defaultRuntime,
    'default-shm-size': String(config.shmSizeBytes),
    features: `map[${features.sort().join(' ')}]`,
    'insecure-registries': JSON.stringify(config.insecureRegistries),
    labels: JSON.stringify(config.labels),
    'live-restore': String(config.liveRestore),
    'max-concurrent-downloads': String(config.maxConcurrentDownloads),
    'max-concurrent-uploads': String(config.maxConcurrentUploads),
    'max-download-attempts': String(config.maxDownloadAttempts),
    'registry-mirrors': JSON.stringify(config.registryMirrors),
    runtimes: runtimes.sort().join(' '),
    'shutdown-timeout': String(config.shutdownTimeoutSeconds),
  };
}
