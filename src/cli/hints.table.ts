// Owns what to do next about failures whose next step is known, as data. A text that names the step itself is not in it.

/** A failure by its words, and the next step; `$1` stands for the first group of the words. */
type Hint = readonly [words: RegExp, step: string];

const NAMES: readonly Hint[] = [
  [/No such container: /, 'list every container with "gantry ps -a"'],
  [/No such image: /, 'list the images with "gantry images", or fetch it with "gantry pull"'],
  [/no such volume/, 'list the volumes with "gantry volume ls"'],
  [/network \S+ not found/, 'list the networks with "gantry network ls"'],
  [
    /No such object: /,
    'list what there is with "gantry ps -a", "gantry images", "gantry volume ls", "gantry network ls"',
  ],
  [
    /container name "\/?([^"]*)" is already in use/,
    'remove the other with "gantry rm -f $1", or choose another --name',
  ],
  [/multiple IDs found with provided prefix/, 'give more characters of the ID'],
  [/must be lowercase/, 'write the name in lower case'],
  [/invalid reference format|is not a valid repository\/tag/, 'write a name as [HOST[:PORT]/]NAME[:TAG][@DIGEST]'],
  [/only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/, 'use letters, digits, "_", "." and "-", at least two characters'],
];

const STATES: readonly Hint[] = [
  [/[Cc]ontainer (\S+) is not running/, 'start it with "gantry start $1"'],
  [/You cannot attach to a stopped container/, 'start and attach at once with "gantry start -a CONTAINER"'],
  [/(?:is paused|paused container), unpause/, 'let it go on with "gantry unpause CONTAINER"'],
  [
    /container is running: stop the container before removing/,
    'stop and remove it at once with "gantry rm -f CONTAINER"',
  ],
  [/volume is in use/, 'see who uses it with "gantry ps -a --filter volume=NAME"'],
  [/conflict: unable to (?:remove|delete)/, 'see which containers use it with "gantry ps -a --filter ancestor=IMAGE"'],
  [
    /port is already allocated|address already in use/,
    'see who publishes the port with "gantry ps" or "ss -lntup", or publish another',
  ],
  [
    /configured logging driver does not support reading/,
    'run the container with --log-driver json-file to keep its logs',
  ],
  [
    /no space left on device|disk full/i,
    'see what takes space with "gantry system df"; "gantry system prune" frees some',
  ],
];

const PROCESSES: readonly Hint[] = [
  [
    /executable file not found|no such file or directory: unknown/,
    'what follows the image name is the command: check that the image has it, or leave it out',
  ],
  [/exec: "[^"]*": permission denied/, 'make the file executable (chmod +x), or name its interpreter first'],
  [/the input device is not a TTY/, 'leave out -t where the input is a file or a pipe'],
  [/unknown or invalid runtime name/, 'see which runtimes there are with "gantry info"'],
  [/no log driver named/, 'see which log drivers there are with "gantry info"'],
  [
    /cannot be used on this platform|does not match the specified platform/,
    'name another --platform, or an image for this one',
  ],
  [/[Ii]nvalid signal/, 'list the names of signals with "kill -l"'],
];

const OPTIONS: readonly Hint[] = [
  [/bind source path does not exist/, 'create it first, or use -v, which creates a missing folder'],
  [/invalid (?:size|suffix): /, 'write a number with b, k, m or g, e.g. 512m'],
  [/time: (?:invalid duration|missing unit|unknown unit)/, 'write a number with its unit, e.g. 30s or 1m30s'],
  [
    /failed to parse value as time or duration/,
    'write a time (2013-01-02T13:23:37Z), seconds since 1970, or a duration (10m)',
  ],
  [/invalid restart policy|restart policy '/, 'use no, always, unless-stopped or on-failure[:COUNT]'],
  [
    /[Ii]nvalid (?:containerPort|hostPort|ip address|proto|port)|invalid port format/,
    'write [IP:][HOST_PORT:]PORT[/PROTOCOL]',
  ],
  [/invalid environment variable/, 'write NAME=value, or a NAME alone to pass on its value'],
  [/bad format of filter/, 'write --filter KEY=VALUE'],
  [/invalid filter '/, 'leave it out, or see the filters with --help'],
  [/bad format for add-host|invalid IP address in add-host/, 'write HOST:IP, e.g. db:10.0.0.2 or me:host-gateway'],
  [/invalid ulimit|ulimit soft limit/, 'write NAME=SOFT[:HARD], e.g. nofile=1024:2048'],
  [/unknown operating system or architecture|cannot parse platform/, 'write OS/ARCH[/VARIANT], e.g. linux/arm64'],
  [/requested load from stdin, but stdin is empty/, 'give -i FILE, or pipe a tar into it'],
  [/invalid env file .*: invalid utf8/, 'save the file as UTF-8'],
  [/the working directory '.*' is invalid/, 'begin the path of -w with a slash'],
  [/container ID file found/, 'remove the file, or name another one'],
  [/can't evaluate field|map has no entry for key/, 'see every field with --format json'],
  [
    /function "[^"]*" not defined/,
    "besides Go's own functions there are json, join, split, lower, upper, title, pad, truncate",
  ],
];

const REGISTRIES: readonly Hint[] = [
  [
    /pull access denied for ([^,]+),/,
    'check the name; if the repository is private, log in first with "gantry login [SERVER]"',
  ],
  [/manifest unknown|manifest for .* not found/, 'check the tag; "latest" need not exist'],
  [
    /Get "https:\/\/([^/"]+)\/[^"]*": http: server gave HTTP response to HTTPS client/,
    'if $1 is to be spoken to without TLS, add it to "insecure-registries" in daemon.json and restart gantryd',
  ],
  [
    /x509: certificate signed by unknown authority/,
    "put the authority's certificate into /usr/local/share/ca-certificates, run update-ca-certificates and restart gantryd",
  ],
  [
    /lookup \S+?: no such host|server misbehaving/,
    'check the name of the registry, and that this machine resolves names',
  ],
  [/dial tcp \S+: connect: connection refused/, 'check that the registry runs, and its port'],
  [
    /dial tcp.*: i\/o timeout|network is unreachable|no route to host/,
    'check the network, and HTTPS_PROXY if there is a proxy',
  ],
  [
    /unauthorized: |incorrect username or password|failed with status: 401/,
    'check the user name and the password or token',
  ],
  [/no basic auth credentials|authentication required/, 'log in first with "gantry login SERVER"'],
  [/TOOMANYREQUESTS|toomanyrequests|too many requests/, 'wait, or log in: most registries allow users more'],
  [/Cannot perform an interactive login/, 'give --username and --password-stdin'],
  [/the --password-stdin option requires --username/, 'add --username NAME'],
];

/** The first that fits counts. */
export const HINTS: readonly Hint[] = [...NAMES, ...REGISTRIES, ...STATES, ...PROCESSES, ...OPTIONS];
