// Owns the search language: words and qualifiers into a checked query. Pure.
//
//     WORD                     repository, tag or label holds it
//     repo:GLOB  tag:GLOB      the name fits
//     label:KEY[=VALUE]        the image has the label
//     platform:OS/ARCH[/VAR]   the image, or an entry of the index, is for it
//     digest:sha256:PREFIX     the digest begins so
//     size:>100MB size:<=1GiB  content size
//     age:<7d  age:>30d        since the tag was pushed

import { GantryError } from '../../lib/errors.ts';
import { parseDuration, parseSize } from '../config/index.ts';

const QUERY_MAX_CHARS = 1000;
const TERMS_MAX = 20;

export interface Query {
  readonly words: readonly string[];
  readonly repositories: readonly string[];
  readonly tags: readonly string[];
  readonly labels: readonly { readonly key: string; readonly value: string | undefined }[];
  readonly platforms: readonly string[];
  readonly digests: readonly string[];
  readonly sizes: readonly Bound[];
  readonly ages: readonly Bound[];
}

/** Bytes, or milliseconds. */
export interface Bound {
  readonly operator: '<' | '<=' | '>' | '>=';
  readonly value: number;
}

type Draft = { -readonly [K in keyof Query]: Query[K][number][] };

/** @throws SEARCH_INVALID naming the term that is wrong */
export function parseQuery(text: string): Query {
  if (text.length > QUERY_MAX_CHARS) throw invalid(`a query has at most ${QUERY_MAX_CHARS} characters`);
  const terms = text.split(/\s+/).filter((term) => term !== '');
  if (terms.length > TERMS_MAX) throw invalid(`a query has at most ${TERMS_MAX} terms`);
  const query: Draft = {
    words: [],
    repositories: [],
    tags: [],
    labels: [],
    platforms: [],
    digests: [],
    sizes: [],
    ages: [],
  };
  for (const term of terms) addTerm(query, term);
  return query;
}

function addTerm(query: Draft, term: string): void {
  const match = /^(repo|tag|label|platform|digest|size|age):(.+)$/.exec(term);
  const [, qualifier, value = ''] = match ?? [];
  switch (qualifier) {
    case 'repo':
      query.repositories.push(value);
      break;
    case 'tag':
      query.tags.push(value);
      break;
    case 'label': {
      const equals = value.indexOf('=');
      query.labels.push(
        equals < 0 ? { key: value, value: undefined } : { key: value.slice(0, equals), value: value.slice(equals + 1) },
      );
      break;
    }
    case 'platform':
      query.platforms.push(value);
      break;
    case 'digest':
      if (!/^(?:sha256:|sha512:)?[0-9a-f]{1,128}$/.test(value)) throw invalid(`${term}: no beginning of a digest`);
      query.digests.push(value.includes(':') ? value : `sha256:${value}`);
      break;
    case 'size':
      query.sizes.push(bound(term, value, parseSize));
      break;
    case 'age':
      query.ages.push(bound(term, value, parseDuration));
      break;
    default:
      query.words.push(term.toLowerCase());
  }
}

function bound(term: string, text: string, parse: (text: string) => number | undefined): Bound {
  const match = /^(<=|>=|<|>)(.+)$/.exec(text);
  const value = parse(match?.[2] ?? '');
  if (!match || value === undefined) throw invalid(`${term}: wanted <, <=, > or >= and a number with its unit`);
  return { operator: match[1] as Bound['operator'], value };
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'SEARCH_INVALID', `cannot search: ${message}`);
}
