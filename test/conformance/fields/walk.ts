// Owns finding one's way in bodies by Docker's schemas: which schemas a body is made of, which fields a value has. Asserts nothing.

import schemaJson from '../../../src/spec/docker/schema.json' with { type: 'json' };

interface Schema {
  readonly fields?: Readonly<Record<string, string>>;
  readonly is?: string;
}

const SCHEMAS: Readonly<Record<string, Schema | undefined>> = schemaJson;

/** The fields of a schema with their types; undefined when it has none or does not exist. */
export function fieldsOf(schema: string): Readonly<Record<string, string>> | undefined {
  return SCHEMAS[schema]?.fields;
}

/** What a field's type is about, without lists and maps: `Mount` of `array<Mount>`. */
function coreOf(type: string): string {
  const bare = type.replace(/[!?]+$/, '');
  if (bare.startsWith('array<')) return coreOf(bare.slice(6, -1));
  if (bare.startsWith('map<string,')) return coreOf(bare.slice('map<string,'.length, -1));
  const alias = SCHEMAS[bare]?.is;
  return alias !== undefined && alias !== bare ? coreOf(alias) : bare;
}

/** The schemas that the bodies are made of, themselves too; not what is below one that `stops`. */
export function reachable(bodies: readonly string[], stops: (schema: string) => boolean): readonly string[] {
  const found = new Set<string>();
  const visit = (schema: string): void => {
    if (found.has(schema) || !fieldsOf(schema)) return;
    found.add(schema);
    if (!stops(schema)) for (const type of Object.values(fieldsOf(schema) ?? {})) visit(coreOf(type));
  };
  bodies.forEach(visit);
  return [...found];
}

/** `Schema.Field` of everything that a body says. */
export function fieldsIn(schema: string, value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) {
    for (const item of value) fieldsIn(schema, item, found);
    return found;
  }
  if (typeof value !== 'object' || value === null) return found;
  const fields = fieldsOf(schema);
  for (const [key, item] of Object.entries(value)) {
    const type = fields?.[key];
    if (type === undefined) continue;
    found.add(`${schema}.${key}`);
    const inner = coreOf(type);
    if (fieldsOf(inner)) fieldsIn(inner, isMap(type) ? Object.values(item as object) : item, found);
  }
  return found;
}

function isMap(type: string): boolean {
  const bare = type.replace(/[!?]+$/, '');
  return bare.startsWith('map<') || (SCHEMAS[bare]?.is ?? '').startsWith('map<');
}
