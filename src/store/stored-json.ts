// Owns JSON in the records: every text says the version of its form, old forms are brought up to date, and what comes out is decoded.

import * as v from 'valibot';
import { GantryError } from '../lib/errors.ts';

/** One kind of JSON in the records. */
export interface StoredJson<T> {
  write(value: T): string;
  /** `of` names whose text it is, for the error. @throws RECORDS_NEWER, RECORD_UNREADABLE */
  read(text: string, of: string): T;
}

/** A step from one version's form to the next. */
export type Upgrade = (old: unknown) => unknown;

/**
 * `name` is for errors, e.g. `container`. The present version is the number of `upgrades` plus one. Texts from before versions are
 * bare values of version 1.
 */
export function storedJson<T>(
  name: string,
  schema: v.GenericSchema<unknown, T>,
  upgrades: readonly Upgrade[] = [],
): StoredJson<T> {
  const version = upgrades.length + 1;
  return {
    write: (value) => JSON.stringify({ v: version, value }),
    read(text, of) {
      const stored = parse(text, name, of);
      if (stored.v > version) throw newer(name, of, stored.v, version);
      const value = upgrades.slice(stored.v - 1).reduce((old: unknown, upgrade) => upgrade(old), stored.value);
      const result = v.safeParse(schema, value);
      if (result.success) return result.output;
      const [issue] = result.issues;
      throw unreadable(name, of, `${v.getDotPath(issue) ?? 'value'}: ${issue.message}`);
    },
  };
}

function parse(text: string, name: string, of: string): { readonly v: number; readonly value: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(name, of, cause instanceof Error ? cause.message : String(cause));
  }
  return isVersioned(value) ? value : { v: 1, value };
}

function isVersioned(value: unknown): value is { readonly v: number; readonly value: unknown } {
  return typeof value === 'object' && value !== null && 'v' in value && 'value' in value && Number.isInteger(value.v);
}

function newer(name: string, of: string, version: number, known: number): GantryError {
  const message = `the record of ${name} ${of} is of version ${version}, and this program knows it up to version ${known}`;
  return new GantryError('conflict', 'RECORDS_NEWER', message, {
    params: { name, version, known },
    hint: 'a newer version of the program wrote it: run that one',
  });
}

function unreadable(name: string, of: string, why: string): GantryError {
  return new GantryError('system', 'RECORD_UNREADABLE', `the record of ${name} ${of} cannot be read: ${why}`, {
    params: { name },
    hint: 'it was changed by something else than this program: restore gantry.db from its copy, or remove that row',
  });
}
