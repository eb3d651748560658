// Owns `inspect` for objects of any kind: a name is looked up as one kind after the other.
import { type ForeignKind, isApiError } from '../../../client/index.ts';
import { CommandFailure } from '../../failure.ts';
import { goQuote } from '../../grammar/go-text.ts';
import { inspect } from '../../grammar/system.table.ts';
import type { Command, Session } from '../../session.ts';
import { type InspectedObject, type InspectKind, inspectObjects } from '../inspect-objects.ts';

type Fetch = (session: Session, name: string, size: boolean) => Promise<string>;

/** In the order of trying. @source docker 28.2.2 */
const KINDS: readonly (readonly [InspectKind, Fetch])[] = [
  ['container', (session, name, size) => session.client().containers.inspectText(name, { size })],
  ['image', (session, name) => session.client().images.inspectText(name)],
  ['network', (session, name) => session.client().networks.inspectText(name)],
  ['volume', (session, name) => session.client().volumes.inspectText(name)],
];
/** Kinds that a daemon of ours has none of; it says so itself. */
const OTHER_KINDS: readonly ForeignKind[] = ['config', 'node', 'plugin', 'secret', 'service', 'task'];
const ALL_KINDS = [...KINDS.map(([kind]) => kind), ...OTHER_KINDS].sort().map(goQuote).join(', ');

/** Shows everything about containers, images, networks and volumes. */
export const command: Command = {
  spec: inspect,
  run: (session, { flags, args }) => {
    const type = flags.text('type');
    const other = OTHER_KINDS.find((kind) => kind === type);
    const kinds = KINDS.filter(([kind]) => type === '' || kind === type);
    if (flags.changed('type') && type === '') throw new CommandFailure(1, `type is empty: must be one of ${ALL_KINDS}`);
    if (kinds.length === 0 && other === undefined) {
      throw new CommandFailure(1, `unknown type: ${goQuote(type)}: must be one of ${ALL_KINDS}`);
    }
    return inspectObjects(session, args, flags.text('format'), async (name) => {
      if (other !== undefined) return { kind: 'foreign', json: await session.client().system.inspectText(other, name) };
      const found = await findObject(session, kinds, name, flags.bool('size'), type !== '');
      if (flags.bool('size') && found.kind !== 'container') {
        session.warn(`WARNING: --size ignored for ${found.kind}`);
      }
      return found;
    });
  },
};

async function findObject(
  session: Session,
  kinds: typeof KINDS,
  name: string,
  size: boolean,
  typed: boolean,
): Promise<InspectedObject> {
  for (const [kind, fetch] of kinds) {
    try {
      return { kind, json: await fetch(session, name, size) };
    } catch (error) {
      if (typed || !isNoSuchObject(error)) throw error;
    }
  }
  throw new CommandFailure(1, `Error: No such object: ${name}`, WHAT_THERE_IS);
}

/** Missing, or a text that cannot be the name of such an object. */
function isNoSuchObject(error: unknown): boolean {
  return isApiError(error, 404) || isApiError(error, 400);
}

const WHAT_THERE_IS =
  'list what there is with "gantry ps -a", "gantry images", "gantry volume ls", "gantry network ls"';
