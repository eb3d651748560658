// Owns the template of a log tag (`--log-opt tag={{.Name}}`): its fields and what is wrong with it. Pure.

import { shortId } from '../../lib/ids.ts';
import { failure, notYet } from './errors.ts';

/** What a tag may name of a container. */
export interface TagFacts {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly command: readonly string[];
}

/** @source dockerd 28.5 */
const FIELDS: ReadonlyMap<string, (facts: TagFacts) => string> = new Map([
  ['ID', ({ id }: TagFacts) => shortId(id)],
  ['FullID', ({ id }) => id],
  ['Name', ({ name }) => name],
  ['ImageID', ({ imageId }) => imageId.slice(0, 12)],
  ['ImageFullID', ({ imageId }) => imageId],
  ['ImageName', ({ imageName }) => imageName],
  ['DaemonName', () => 'docker'],
  ['Command', ({ command }) => command.join(' ')],
  ['ContainerID', ({ id }) => id],
  ['ContainerName', ({ name }) => `/${name}`],
  ['ContainerImageID', ({ imageId }) => imageId],
  ['ContainerImageName', ({ imageName }) => imageName],
]);

const ACTION = /\{\{(.*?)\}\}/gs;

/** @throws GantryError LOG_TAG, in Docker's words where there are some */
export function checkTag(template: string): void {
  const refuse = (why: string) =>
    failure(
      'LOG_TAG',
      `failed to create task for container: failed to initialize logging driver: template: log-tag:1${why}`,
    );
  if (template.replace(ACTION, '').includes('{{')) throw refuse(': unclosed action');
  for (const { 0: action, 1: text = '', index } of template.matchAll(ACTION)) {
    const name = /^\s*\.(\w+)\s*$/.exec(text)?.[1];
    if (name === undefined) throw notYet('LOG_TAG', `the log tag ${action}: only fields such as {{.Name}}`);
    if (FIELDS.has(name)) continue;
    const at = index + action.indexOf('.');
    const what = `executing "log-tag" at <.${name}>: can't evaluate field ${name} in type *logger.Info`;
    throw refuse(`:${at}: ${what}`);
  }
}

/** The tag of a container, for a template that `checkTag` took. */
export function tagText(template: string, facts: TagFacts): string {
  return template.replace(ACTION, (whole, text: string) => FIELDS.get(text.trim().slice(1))?.(facts) ?? whole);
}
