// Owns `image inspect`.
import { imageInspect } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';
import { platformJson } from './platform-json.ts';

/** Shows everything about images. */
export const command: Command = {
  spec: imageInspect,
  run: async (session, { flags, args }) => {
    const platform = platformJson(flags.text('platform'));
    return inspectObjects(session, args, flags.text('format'), async (name) => ({
      kind: 'image',
      json: await session.client().images.inspectText(name, { platform }),
    }));
  },
};
