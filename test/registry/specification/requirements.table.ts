// Owns the list of what the OCI distribution specification 1.1 demands, by section, in our words. Requirements on clients are listed as
// such; each of the registry's has a test whose name begins with its id (checked by requirements.test.ts).

export interface Requirement {
  /** Section letter and number, e.g. `pull-3`. */
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly text: string;
  /** Why there is no test: it binds the client, or says what a registry MAY leave out. */
  readonly exempt?: string;
}

export const REQUIREMENTS: readonly Requirement[] = [
  // Determining support
  { id: 'base-1', level: 'MUST', text: 'GET /v2/ answers 200 where nothing else stands in the way' },
  { id: 'base-2', level: 'MUST', text: 'GET /v2/ answers 401 where the sender must authenticate' },
  // Pulling manifests
  { id: 'pull-1', level: 'MUST', text: 'a repository name fits its grammar' },
  { id: 'pull-2', level: 'MUST', text: 'a reference is a digest or a tag of its grammar, of at most 128 characters' },
  { id: 'pull-3', level: 'MUST', text: 'GET of a manifest by tag or digest answers 200 with its bytes' },
  { id: 'pull-4', level: 'SHOULD', text: 'the Content-Type of a manifest is the mediaType that it states' },
  { id: 'pull-5', level: 'SHOULD', text: 'Docker-Content-Digest, where given, is the digest of the body' },
  { id: 'pull-6', level: 'MUST', text: 'a manifest that is not there is answered by 404' },
  {
    id: 'pull-7',
    level: 'SHOULD',
    text: 'the client states the media types that it takes',
    exempt: 'binds the client',
  },
  {
    id: 'pull-8',
    level: 'SHOULD',
    text: 'the client verifies what it got against its digest',
    exempt: 'binds the client',
  },
  // Pulling blobs
  { id: 'pull-9', level: 'MUST', text: 'GET of a blob answers 200 with its bytes' },
  { id: 'pull-10', level: 'MUST', text: 'a blob that is not there is answered by 404' },
  { id: 'pull-11', level: 'SHOULD', text: 'Range requests of blobs are answered as RFC 9110 says' },
  // Checking existence
  { id: 'pull-12', level: 'MUST', text: 'HEAD of a manifest or blob that exists answers 200' },
  { id: 'pull-13', level: 'SHOULD', text: 'HEAD states the Content-Length of the content' },
  { id: 'pull-14', level: 'MUST', text: 'HEAD of what is not there answers 404' },
  // Pushing blobs
  { id: 'push-1', level: 'MUST', text: 'POST of an upload answers 202 with a Location' },
  { id: 'push-2', level: 'MUST', text: 'the Location leads to an upload whose id is unique' },
  {
    id: 'push-3',
    level: 'MUST',
    text: 'the client adds its digest to a Location that may have a query',
    exempt: 'binds the client',
  },
  { id: 'push-4', level: 'MUST', text: 'PUT of a whole blob with its digest answers 201 with a Location' },
  { id: 'push-5', level: 'MUST', text: 'the Location of a finished blob can be pulled' },
  {
    id: 'push-6',
    level: 'MUST',
    text: 'POST with a digest and the whole blob answers 201, or 202 as for an upload that was begun',
  },
  { id: 'push-7', level: 'MUST', text: 'a digest that is not of the content is refused' },
  // Chunks
  { id: 'chunk-1', level: 'MUST', text: 'PATCH of a piece answers 202 with a Location' },
  { id: 'chunk-2', level: 'MUST', text: 'the Range of the answer is 0 to the last byte received' },
  { id: 'chunk-3', level: 'MUST', text: 'pieces come in order; one out of order is answered by 416' },
  { id: 'chunk-4', level: 'MUST', text: 'GET of an upload answers 204 with its Location and Range' },
  { id: 'chunk-5', level: 'MUST', text: 'a final PUT may carry the last piece and answers 201' },
  {
    id: 'chunk-6',
    level: 'SHOULD',
    text: 'a smallest piece size is stated by OCI-Chunk-Min-Length',
    exempt: 'there is no smallest size here',
  },
  { id: 'chunk-7', level: 'SHOULD', text: 'an upload can be cancelled by DELETE with 204' },
  // Mounting
  { id: 'mount-1', level: 'MUST', text: 'a mounted blob is answered by 201 with its Location' },
  {
    id: 'mount-2',
    level: 'MUST',
    text: 'a mount that is not possible is answered by 202 as for an upload that was begun',
  },
  { id: 'mount-3', level: 'MUST', text: 'the Location of a mounted blob can be pulled' },
  { id: 'mount-4', level: 'SHOULD', text: 'without a from the registry may mount or begin an upload' },
  // Pushing manifests
  { id: 'manifest-1', level: 'MUST', text: 'PUT of a manifest answers 201 with a Location' },
  { id: 'manifest-2', level: 'MUST', text: 'a manifest is kept in the exact bytes that came' },
  { id: 'manifest-3', level: 'MUST', text: 'the Location of a manifest can be pulled' },
  {
    id: 'manifest-4',
    level: 'MUST',
    text: 'a manifest that names blobs that are not there may be refused, by 404 or 400',
  },
  { id: 'manifest-5', level: 'SHOULD', text: 'a manifest over a limit is answered by 413 or refused; 4 MiB are taken' },
  { id: 'manifest-6', level: 'SHOULD', text: 'Docker-Content-Digest of the answer is the digest of the manifest' },
  { id: 'manifest-7', level: 'MUST', text: 'a manifest with a subject is answered with OCI-Subject' },
  { id: 'manifest-8', level: 'MUST', text: 'a manifest whose subject is not there is taken' },
  { id: 'manifest-9', level: 'MUST', text: 'a digest as reference must be that of the body' },
  // Tags
  { id: 'tags-1', level: 'MUST', text: 'the tag list answers 200 with name and tags' },
  { id: 'tags-2', level: 'MUST', text: 'tags are in lexical order' },
  { id: 'tags-3', level: 'MUST', text: 'at most n tags come, none for n=0' },
  { id: 'tags-4', level: 'MUST', text: 'fewer than all come with a Link to the next, except for n=0' },
  { id: 'tags-5', level: 'MUST', text: 'last is not part of what comes after it' },
  { id: 'tags-6', level: 'MUST', text: 'an unknown repository is answered by 404' },
  // Referrers
  { id: 'referrers-1', level: 'MUST', text: 'the referrers of a digest are an image index, with its Content-Type' },
  {
    id: 'referrers-2',
    level: 'MUST',
    text: 'a digest that nothing refers to is answered by 200 and an empty list, not by 404',
  },
  { id: 'referrers-3', level: 'MUST', text: 'each descriptor has the mediaType, size and digest of the referrer' },
  {
    id: 'referrers-4',
    level: 'MUST',
    text: 'artifactType is the manifest’s, or the config’s media type where it has none',
  },
  { id: 'referrers-5', level: 'MUST', text: 'annotations of the referrer are in its descriptor' },
  { id: 'referrers-6', level: 'SHOULD', text: 'artifactType filters, and OCI-Filters-Applied says so' },
  { id: 'referrers-7', level: 'MUST', text: 'a digest outside the grammar is answered by 400' },
  { id: 'referrers-8', level: 'MUST', text: 'an index with a subject is a referrer too' },
  {
    id: 'referrers-9',
    level: 'MUST',
    text: 'a client falls back to the tag schema where there is no API',
    exempt: 'binds the client',
  },
  { id: 'referrers-10', level: 'SHOULD', text: 'referrers pushed under the tag schema stay pullable by that tag' },
  // Deleting
  { id: 'delete-1', level: 'MUST', text: 'DELETE of a tag answers 202, and the tag is gone' },
  { id: 'delete-2', level: 'MUST', text: 'DELETE of a manifest answers 202, and GET of it 404' },
  { id: 'delete-3', level: 'MUST', text: 'DELETE of a blob answers 202' },
  { id: 'delete-4', level: 'MUST', text: 'DELETE of what is not there answers 404' },
  { id: 'delete-5', level: 'MUST', text: 'where deleting is off it is answered by 405 or 400' },
  { id: 'delete-6', level: 'SHOULD', text: 'a manifest that was deleted is no referrer any more' },
  // Errors
  { id: 'error-1', level: 'MUST', text: 'an error body is JSON with errors, each with a code' },
  { id: 'error-2', level: 'MUST', text: 'the code is one of the specification’s' },
  { id: 'error-3', level: 'SHOULD', text: 'the codes are those that fit the failure' },
];
