// Owns a container's leaving of its networks, whatever happens there.

import { messageOf } from '../../lib/errors.ts';
import type { Context } from './context.ts';

/** Never rejects: what could not be freed is logged, and swept at the engine's next start. */
export async function leaveNetworks(context: Context, id: string): Promise<void> {
  await context.networks.disconnect(id).catch((error: unknown) => {
    context.log('error', `container ${id}: leaving its network failed: ${messageOf(error)}`);
  });
}
