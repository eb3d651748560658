// Owns `info`.

import { VERSION } from '../../../lib/package.ts';
import type { SystemInfo } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { systemInfo } from '../../grammar/system.table.ts';
import type { Command, Session } from '../../session.ts';
import {
  dockerValue,
  evaluateTemplate,
  FUNCTION_NAMES,
  parseTemplate,
  type Template,
  TemplateError,
} from '../../template/index.ts';
import { infoText, infoWarnings } from './info-text.ts';

/** Prints the daemon's state and settings. */
export const command: Command = {
  spec: systemInfo,
  run: async (session, { flags }) => {
    const format = flags.text('format');
    const template = format === '' ? undefined : readTemplate(format === 'json' ? '{{json .}}' : format);
    let info: SystemInfo | undefined;
    let failure: unknown;
    try {
      info = await session.client().system.info();
    } catch (error) {
      failure = error;
    }
    const debug = session.globals.bool('debug');
    const client = {
      Debug: debug,
      Version: VERSION,
      Context: session.chosenHost().context,
      Plugins: [],
      Warnings: null,
    };
    if (template === undefined) {
      session.out(infoText(client, info));
      for (const warning of infoWarnings(info)) session.warn(warning);
    } else {
      session.out(runTemplate(session, template, { ...info, ClientInfo: client }));
    }
    if (failure !== undefined) throw failure;
    return 0;
  },
};

function readTemplate(format: string): Template {
  try {
    return parseTemplate(format, FUNCTION_NAMES);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `template parsing error: ${error.message}`, error.hint);
  }
}

function runTemplate(session: Session, template: Template, data: unknown): string {
  try {
    return `${evaluateTemplate(template, dockerValue('system.dockerInfo', data))}\n`;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    session.out(`${error.partial}\n`);
    throw new CommandFailure(1, error.message, error.hint);
  }
}
