// Owns what every `inspect` does: fetch each object, print indented JSON or a template's text, report what is missing.
import { parseExactJson } from '../../client/index.ts';
import { failureText } from '../explain.ts';
import { CommandFailure } from '../failure.ts';
import { indentJson } from '../render/json-indent.ts';
import type { Session } from '../session.ts';
import { evaluateTemplate, FUNCTION_NAMES, parseTemplate, type Template, TemplateError } from '../template/index.ts';
import { type InspectKind, withGoNames } from './inspect-fields.ts';

/** An object as the daemon wrote it. */
export interface InspectedObject {
  readonly kind: InspectKind;
  readonly json: string;
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
  const failures: string[] = [];
  let text = '';
  for (const name of names) {
    try {
      const object = await fetch(name);
      if (template === undefined) found.push(object);
      else text += `${runTemplate(template, object)}\n`;
    } catch (error) {
      failures.push(failureText(error));
    }
  }
  if (template !== undefined) session.out(text === '' ? '\n' : text);
  else session.line(jsonArray(found, format === 'json'));
  if (failures.length > 0) throw new CommandFailure(1, failures.join('\n'));
  return 0;
}

function jsonArray(found: readonly InspectedObject[], compact: boolean): string {
  if (compact) return `[${found.map((object) => JSON.stringify(JSON.parse(object.json))).join(',')}]`;
  return indentJson(`[${found.map((object) => object.json.trim()).join(',')}]`);
}

function readTemplate(format: string): Template {
  try {
    return parseTemplate(format, FUNCTION_NAMES);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `template parsing error: ${error.message}`);
  }
}

function runTemplate(template: Template, object: InspectedObject): string {
  try {
    return evaluateTemplate(template, withGoNames(parseExactJson(object.json), object.kind));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(1, `template parsing error: ${error.message}`);
  }
}
