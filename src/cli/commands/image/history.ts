// Owns `image history`, known as `history`.

import { messageOf } from '../../../lib/errors.ts';
import type { ImageHistoryItem } from '../../../spec/docker/types.gen.ts';
import { platformText } from '../../../spec/platform.ts';
import { CommandFailure } from '../../failure.ts';
import { imageHistory } from '../../grammar/image.table.ts';
import { readPlatform } from '../../platform.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { agoText, ellipsis, humanSize, rfc3339, shortId } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';
import { platformJson } from './platform-json.ts';

const COMMAND_WIDTH = 45;

/** Formats of `history`. @source docker 28.2.2 */
function styleOf(human: boolean): ListStyle {
  return {
    table: `{{.ID}}\\t{{.${human ? 'CreatedSince' : 'CreatedAt'}}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}`,
    quiet: '{{.ID}}',
    headings: {
      ID: 'IMAGE',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    },
  };
}

interface RowOptions {
  readonly trunc: boolean;
  readonly human: boolean;
  readonly nowMs: number;
}

/** Shows how an image came about, newest layer first. */
export const command: Command = {
  spec: imageHistory,
  run: async (session, { flags, args }) => {
    const human = flags.bool('human');
    const style = styleOf(human);
    const format = readListFormat(flags.text('format'), flags.bool('quiet'), style);
    const platform = platformOf(flags.text('platform'));
    const items = await session.client().images.history(args[0] ?? '', { platform });
    const options = { human, trunc: !flags.bool('no-trunc'), nowMs: session.now() };
    session.out(
      renderList(
        format,
        style,
        items.map((item) => historyRow(item, options)),
      ),
    );
    return 0;
  },
};

function platformOf(text: string): string {
  try {
    return text === '' ? '' : platformJson(platformText(readPlatform(text)));
  } catch (error) {
    throw new CommandFailure(1, `invalid platform: ${messageOf(error)}`);
  }
}

function historyRow(item: ImageHistoryItem, { trunc, human, nowMs }: RowOptions): TemplateMap {
  const by = item.CreatedBy.replaceAll('\t', ' ');
  return {
    [TYPE_NAME]: '*image.historyContext',
    Comment: () => item.Comment,
    CreatedAt: () => rfc3339(item.Created),
    CreatedBy: () => (trunc ? ellipsis(by, COMMAND_WIDTH) : by),
    CreatedSince: () => (item.Created <= 0 ? 'N/A' : agoText(item.Created, nowMs)),
    ID: () => (trunc ? shortId(item.Id) : item.Id),
    Size: () => (human ? humanSize(item.Size) : String(item.Size)),
  };
}
