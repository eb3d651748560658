// Owns what every `inspect` does: fetch each object, print indented JSON or a template's text, report what is missing.
import { parseExactJson } from '../../client/index.ts';
import { joinFailures } from '../explain.ts';
import { CommandFailure } from '../failure.ts';
import { compactJson, indentJson } from '../render/json-indent.ts';
import type { Session } from '../session.ts';
import {
  dockerValue,
  evaluateTemplate,
  FUNCTION_NAMES,
  parseTemplate,
  rawValue,
  type Template,
  TemplateError,
} from '../template/index.ts';

/** What is inspected, by its Go type; of foreign objects only the JSON is known. */
const TYPES = {
  foreign: undefined,
  container: 'container.InspectResponse',
  image: 'image.InspectResponse',
  network: 'network.Inspect',
  volume: 'volume.Volume',
  context: 'context.contextWithTLSListing',
};

export type InspectKind = keyof typeof TYPES;

/** An object as the daemon wrote it. */
export interface InspectedObject {
  readonly kind: InspectKind;
  readonly json: string;
  /** Templates see Docker's own type of it only, never the JSON as it is. */
  readonly typedOnly?: boolean;
}

/**
 * Prints every object that `fetch` finds, then fails with what it did not find.
 * @throws CommandFailure (1) with one line a failure; (64) when the template cannot be read
 * @source docker 28.2.2 cli/command/inspect
 */
export async function inspectObjects(
  session: Session,
  names: readonly string[],
  format: string,
  fetch: (name: string) => Promise<InspectedObject>,
): Promise<number> {
  const template = format === '' || format === 'json' ? undefined : readTemplate(format);
  const found: InspectedObject[] = [];
  const failures: unknown[] = [];
  let text = '';
  for (const name of names) {
    try {
      const object = await fetch(name);
      if (template === undefined) found.push(object);
      else text += `${runTemplate(template, object)}\n`;
    } catch (error) {
      failures.push(error);
    }
  }
  if (template !== undefined) session.out(text === '' ? '\n' : text);
  else session.line(jsonArray(found, format === 'json'));
  if (failures.length > 0) throw joinFailures(failures);
  return 0;
}

function jsonArray(found: readonly InspectedObject[], compact: boolean): string {
  if (compact) return `[${found.map((object) => compactJson(object.json)).join(',')}]`;
  return indentJson(`[${found.map((object) => object.json.trim()).join(',')}]`);
}

function readTemplate(format: string): Template {
  try {
    return parseTemplate(format, FUNCTION_NAMES);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `template parsing error: ${error.message}`, error.hint);
  }
}

/** As Docker's own type has it; where that fails, as the JSON has it. */
function runTemplate(template: Template, object: InspectedObject): string {
  const data = parseExactJson(object.json);
  const type = TYPES[object.kind];
  try {
    if (type !== undefined) return evaluateTemplate(template, dockerValue(type, data));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    if (object.typedOnly) throw new CommandFailure(1, `template parsing error: ${error.message}`, error.hint);
  }
  try {
    return evaluateTemplate(template, rawValue(data), { missingKey: 'error' });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(1, `template parsing error: ${error.message}`, error.hint);
  }
}
