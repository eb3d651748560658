// Owns `image inspect`.
import { imageInspect } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';
import { platformJson } from './platform-json.ts';

/** Shows everything about images. */
export const command: Command = {
  spec: imageInspect,
  run: (session, { flags, args }) =>
    inspectObjects(session, args, flags.text('format'), async (name) => ({
      kind: 'image',
      json: await session.client().images.inspectText(name, { platform: platformJson(flags.text('platform')) }),
    })),
};
