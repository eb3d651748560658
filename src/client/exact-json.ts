// Owns reading JSON without losing digits of large integers. Pure.

type SourceReviver = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const keepIntegers: SourceReviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
};

/** The value of `json`, integers beyond 53 bits as bigint. */
export function parseExactJson(json: string): unknown {
  return JSON.parse(json, keepIntegers as (this: unknown, key: string, value: unknown) => unknown);
}
