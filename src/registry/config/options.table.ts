// Owns the options of the program gantry-registry as a table: flag, kind, help, and which commands take it. No behaviour.

export interface Option {
  readonly flag: string;
  readonly kind: 'text' | 'bool';
  readonly commands: readonly string[];
  readonly help: string;
}

/** The options of the program. */
export const COMMANDS: Readonly<Record<string, string>> = {
  serve: 'Serve a registry',
  import: "Take over a docker-registry's data folder",
  gc: 'Collect garbage of a registry that is not running',
  check: 'Compare content and records of a registry that is not running',
  'check-config': 'Check a configuration file',
  'hash-password': 'Print the htpasswd line of USER, whose password is read from standard input',
  version: 'Print the version',
};

const ALL = ['serve', 'import', 'gc', 'check', 'check-config'];

/** Each is an environment variable too: --tls-cert is GANTRY_REGISTRY_TLS_CERT. */
export const OPTIONS: readonly Option[] = [
  {
    flag: 'addr',
    kind: 'text',
    commands: ['serve'],
    help: 'Address to listen on (default 127.0.0.1:5000; :5000 is every address)',
  },
  {
    flag: 'root',
    kind: 'text',
    commands: ALL,
    help: 'Folder of the content and the records (default /var/lib/gantry-registry)',
  },
  {
    flag: 'anonymous',
    kind: 'text',
    commands: ['serve'],
    help: 'What anybody may do: none, pull or push (default: push on loopback, else pull; none with accounts)',
  },
  {
    flag: 'config',
    kind: 'text',
    commands: ALL,
    help: "Configuration file (YAML; docker-registry's config.yml works too)",
  },
  { flag: 'htpasswd', kind: 'text', commands: ['serve'], help: 'File of users and bcrypt hashes' },
  {
    flag: 'admin',
    kind: 'text',
    commands: ['serve'],
    help: 'Users who administer the registry, by comma (default nobody)',
  },
  {
    flag: 'token',
    kind: 'bool',
    commands: ['serve'],
    help: 'Issue Docker tokens (on by itself when accounts and anonymous access meet)',
  },
  { flag: 'tls-cert', kind: 'text', commands: ['serve'], help: 'Certificate chain (PEM); read anew when it changes' },
  { flag: 'tls-key', kind: 'text', commands: ['serve'], help: 'Its private key (PEM)' },
  {
    flag: 'external-url',
    kind: 'text',
    commands: ['serve'],
    help: 'URL that clients use, when it is not the one that they ask',
  },
  { flag: 'read-only', kind: 'bool', commands: ['serve'], help: 'Refuse every push and delete' },
  { flag: 'log-level', kind: 'text', commands: ALL, help: 'debug, info, warn or error' },
  { flag: 'log-format', kind: 'text', commands: ALL, help: 'text or json' },
  { flag: 'repair', kind: 'bool', commands: ['check'], help: 'Mend what can be, remove what is damaged' },
  { flag: 'from', kind: 'text', commands: ['import'], help: 'The data folder to take over' },
];
