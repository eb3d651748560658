// Owns the list of docker's own commands, as data, so that a command that is missing here is not taken for a typing error.

/** What a user can do until a command is here, by the command. Only what is known to work. */
const MEANWHILE: Readonly<Record<string, string>> = {
  build: 'load an image that was built elsewhere with "gantry load -i FILE"',
  push: 'write the image into a file with "gantry save -o FILE IMAGE"',
  stats: 'list the processes of a container with "gantry top CONTAINER"',
  'system dial-stdio': 'reach the socket over SSH: ssh -L /tmp/gantry.sock:/run/gantry/gantry.sock HOST',
};

/** Every command of docker without plugins, a group with its commands a line; `-` stands for none of its own. */
const COMMANDS = `
- attach bake build commit cp create diff events exec export help history images import info inspect kill load login logout logs
- pause port ps pull push rename restart rm rmi run save search start stats stop tag top unpause update version wait
builder build prune
checkpoint create ls rm
completion bash fish powershell zsh
config create inspect ls rm
container attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run start stats stop
container top unpause update wait
context create export import inspect ls rm show update use
image build history import inspect load ls prune pull push rm save tag
manifest annotate create inspect push rm
network connect create disconnect inspect ls prune rm
node demote inspect ls promote ps rm update
plugin create disable enable inspect install ls push rm set upgrade
secret create inspect ls rm
service create inspect logs ls ps rm rollback scale update
stack config deploy ls ps rm services
swarm ca init join join-token leave unlock unlock-key update
system df dial-stdio events info prune
trust inspect key revoke sign signer
volume create inspect ls prune rm update
`;

/** Paths of docker's commands, e.g. `ps` and `container ls`. @source docker 28.2.2 */
export const DOCKER_COMMANDS: readonly string[] = COMMANDS.trim()
  .split('\n')
  .flatMap((line) => {
    const [group = '', ...names] = line.split(' ');
    return names.map((name) => (group === '-' ? name : `${group} ${name}`));
  });

/** Groups of docker's commands. */
export const DOCKER_GROUPS: ReadonlySet<string> = new Set(
  DOCKER_COMMANDS.filter((path) => path.includes(' ')).map((path) => path.split(' ')[0] ?? ''),
);

/** What to do until the command `path` is here, if anything is known. */
export function meanwhile(path: string): string | undefined {
  return MEANWHILE[path] ?? MEANWHILE[path.replace(/^(container|image|builder) /, '')];
}
