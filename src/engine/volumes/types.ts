// Owns the shapes of the volume capability. No behaviour.

export interface VolumeRecord {
  readonly name: string;
  readonly driver: 'local';
  /** RFC 3339. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Host directory that holds the data. */
  readonly mountpoint: string;
  readonly anonymous: boolean;
}

export interface VolumeCreateRequest {
  /** Absent: anonymous, a 64-hex name. */
  readonly name?: string | undefined;
  readonly driver?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly options?: Readonly<Record<string, string>> | undefined;
}

export interface Volumes {
  /** Idempotent by name. @throws INVALID_VOLUME_NAME, UNKNOWN_VOLUME_DRIVER. */
  create(request: VolumeCreateRequest): Promise<VolumeRecord>;
  /** @throws NO_SUCH_VOLUME `get X: no such volume`. */
  get(name: string): VolumeRecord;
  list(filters: ReadonlyMap<string, readonly string[]>): readonly VolumeRecord[];
  /** @throws VOLUME_IN_USE (conflict). */
  remove(name: string, force: boolean): Promise<void>;
  prune(
    filters: ReadonlyMap<string, readonly string[]>,
  ): Promise<{ readonly names: readonly string[]; readonly reclaimedBytes: number }>;
}
