// Owns what a row of `images` shows: one a tag, or one a digest.
import type { ImageSummary } from '../../../spec/docker/types.gen.ts';
import { familiarReference, parseReference } from '../../../spec/reference.ts';
import type { ListStyle } from '../../render/list.ts';
import { agoText, goTimeText, humanSize, shortId } from '../../render/units.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

const NONE = '<none>';

/** Formats of `images`. @source docker 28.2.2 */
export function imageListStyle(digests: boolean): ListStyle {
  return {
    table: `{{.Repository}}\\t{{.Tag}}\\t${digests ? '{{.Digest}}\\t' : ''}{{.ID}}\\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\\t{{.Size}}`,
    quiet: '{{.ID}}',
    raw: `repository: {{.Repository}}\ntag: {{.Tag}}\n${digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`,
    headings: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      VirtualSize: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
    },
  };
}

/** How rows are made. */
export interface ImageRowOptions {
  readonly trunc: boolean;
  /** A row a digest instead of a row a tag. */
  readonly digests: boolean;
  readonly nowMs: number;
}

/** The rows of one image. */
export function imageRows(image: ImageSummary, options: ImageRowOptions): TemplateMap[] {
  return namesOf(image, options.digests).map((name) => imageRow(image, name, options));
}

/** The one row of an image in `system df`, under its first name. */
export function diskImageRow(image: ImageSummary, trunc: boolean, nowMs: number): TemplateMap {
  const [first = ''] = image.RepoTags ?? [];
  const colon = first.lastIndexOf(':');
  const name: NameRow =
    colon === -1 ? [NONE, NONE, ''] : [shortRepository(first.slice(0, colon)), first.slice(colon + 1), ''];
  return imageRow(image, name, { trunc, digests: false, nowMs });
}

function imageRow(image: ImageSummary, [repository, tag, digest]: NameRow, options: ImageRowOptions): TemplateMap {
  return {
    [TYPE_NAME]: '*formatter.imageContext',
    Containers: () => countText(image.Containers),
    CreatedAt: () => goTimeText(image.Created ?? 0),
    CreatedSince: () => ((image.Created ?? 0) <= 0 ? '' : agoText(image.Created ?? 0, options.nowMs)),
    Digest: () => digest,
    ID: () => (options.trunc ? shortId(image.Id ?? '') : (image.Id ?? '')),
    Repository: () => repository,
    SharedSize: () => sizeText(image.SharedSize),
    Size: () => humanSize(image.Size ?? 0),
    Tag: () => tag,
    UniqueSize: () => uniqueSize(image),
    VirtualSize: () => humanSize(image.Size ?? 0, 4),
  };
}

type NameRow = readonly [repository: string, tag: string, digest: string];

function namesOf(image: ImageSummary, showDigests: boolean): NameRow[] {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  const digests = new Map<string, string[]>();
  for (const reference of image.RepoDigests ?? []) {
    const at = reference.indexOf('@');
    const repository = shortRepository(reference.slice(0, at));
    if (repository !== NONE) digests.set(repository, [...(digests.get(repository) ?? []), reference.slice(at + 1)]);
  }
  const rows: NameRow[] = [];
  const tagged = new Set<string>();
  for (const reference of tags) {
    const colon = reference.lastIndexOf(':');
    const repository = shortRepository(reference.slice(0, colon));
    tagged.add(repository);
    const own = showDigests ? (digests.get(repository) ?? [NONE]) : [NONE];
    for (const digest of own) rows.push([repository, reference.slice(colon + 1), digest]);
  }
  for (const [repository, own] of digests) {
    if (tagged.has(repository)) continue;
    if (showDigests) for (const digest of own) rows.push([repository, NONE, digest]);
    else rows.push([repository, NONE, '']);
  }
  return rows.length === 0 ? [[NONE, NONE, NONE]] : rows;
}

function shortRepository(repository: string): string {
  try {
    return familiarReference(parseReference(repository));
  } catch {
    return repository;
  }
}

function countText(count: number | undefined): string {
  return count === undefined || count === -1 ? 'N/A' : String(count);
}

function sizeText(bytes: number | undefined): string {
  return bytes === undefined || bytes === -1 ? 'N/A' : humanSize(bytes, 4);
}

function uniqueSize(image: ImageSummary): string {
  const shared = image.SharedSize ?? -1;
  return shared === -1 ? 'N/A' : humanSize((image.Size ?? 0) - shared, 4);
}
