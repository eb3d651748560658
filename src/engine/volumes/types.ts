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
  /** Id of the container that an anonymous volume is made for: without it the volume goes too, whoever dies in between. */
  readonly owner?: string | undefined;
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

/** What the container capability needs besides: volumes that go with the container they were made for. */
export interface OwnedVolumes extends Volumes {
  /** The owner's volumes stay when it goes. Part of the transaction in which it goes. */
  disown(owner: string): void;
  /** After records were lost: takes up folders without one. Resolves to their names. */
  adopt(): Promise<readonly string[]>;
  /** Removes volumes whose owner is not there: their container was not made to the end, or not removed to the end. */
  sweep(isThere: (owner: string) => boolean): Promise<void>;
}
