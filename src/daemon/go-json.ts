// Owns reading JSON values as Go's encoding/json does into a configuration, with its words for a value of the wrong type. Pure.

/** Where a value stands below the configuration: `runtimes.x.path`. */
export class JsonPlace {
  readonly path: string;
  /** In lists Go names the place otherwise. */
  readonly isItem: boolean;

  constructor(path: string, isItem = false) {
    this.path = path;
    this.isItem = isItem;
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf('.') + 1);
  }

  below(name: string): JsonPlace {
    return new JsonPlace(`${this.path}.${name}`, this.isItem);
  }

  item(index: number): JsonPlace {
    return new JsonPlace(`${this.path}.${index}`, true);
  }
}

type Read<T> = (value: unknown, place: JsonPlace) => T;

/** Each reader @throws Error `json: cannot unmarshal …` @source dockerd 28.5, built with go1.27 */
export const GoJson = {
  string(value: unknown, place: JsonPlace, goType = 'string'): string {
    if (typeof value !== 'string') throw wrong(value, place, goType);
    return value;
  },
  bool(value: unknown, place: JsonPlace): boolean {
    if (typeof value !== 'boolean') throw wrong(value, place, 'bool');
    return value;
  },
  int(value: unknown, place: JsonPlace, goType = 'int'): number {
    if (typeof value !== 'number') throw wrong(value, place, goType);
    if (!Number.isSafeInteger(value)) throw wrong(value, place, goType, ` ${value}`);
    return value;
  },
  list<T>(value: unknown, place: JsonPlace, goType: string, read: Read<T>): readonly T[] {
    if (!Array.isArray(value)) throw wrong(value, place, goType);
    return value.map((item, index) => read(item, place.item(index)));
  },
  map<T>(value: unknown, place: JsonPlace, goType: string, read: Read<T>): Readonly<Record<string, T>> {
    if (!isObject(value)) throw wrong(value, place, goType);
    const present = Object.entries(value).filter(([, item]) => item !== null || goType === 'map[string]string');
    return Object.fromEntries(present.map(([key, item]) => [key, read(item, place.below(key))]));
  },
  /** The fields of a struct by name in any case; null counts as absent. */
  struct(value: unknown, place: JsonPlace, goType: string): (name: string) => unknown {
    if (!isObject(value)) throw wrong(value, place, goType);
    const lower = new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item ?? undefined]));
    return (name) => lower.get(name.toLowerCase());
  },
  mismatch(value: unknown, into: string): Error {
    return new Error(`json: cannot unmarshal ${jsonType(value)} into ${into}`);
  },
};

/** A JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(value: unknown, place: JsonPlace, goType: string, shown = ''): Error {
  const where = place.isItem ? `Config.${place.path}` : `Go struct field Config.${place.path}`;
  return new Error(`json: cannot unmarshal ${jsonType(value)}${shown} into ${where} of type ${goType}`);
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
