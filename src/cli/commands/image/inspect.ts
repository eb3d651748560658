// Owns `image inspect`.
import { imageInspect } from '../../grammar/image.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';

/** Shows everything about images. */
export const command: Command = {
  spec: imageInspect,
  run: (session, { flags, args }) =>
    inspectObjects(session, args, flags.text('format'), async (name) => ({
      kind: 'image',
      json: await session.client().images.inspectText(name, { platform: platformJson(flags.text('platform')) }),
    })),
};

/** The API takes a platform as JSON. */
function platformJson(text: string): string {
  if (text === '') return '';
  const [os = '', architecture = '', variant] = text.split('/');
  return JSON.stringify({ architecture, os, ...(variant === undefined ? {} : { variant }) });
}
