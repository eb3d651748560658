// Owns which labels, mirrors and registries a daemon takes, in dockerd's words. Pure.

/** @throws Error */
export function checkLabel(text: string): string {
  const [key = '', ...rest] = text.split('=');
  if (rest.length === 0) throw new Error(`bad attribute format: ${text}`);
  if (/^(com\.docker|io\.docker|org\.dockerproject)\./.test(key.toLowerCase())) {
    throw new Error(
      `label ${text} is not allowed: the namespaces com.docker.*, io.docker.*, and org.dockerproject.* are reserved for internal use`,
    );
  }
  return text;
}

/** The mirror with the slash at its end. @throws Error */
export function checkMirror(text: string): string {
  const fail = (why: string) => new Error(`invalid mirror: ${why}`);
  const quoted = JSON.stringify(text);
  const [, scheme, rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(.*)$/.exec(text) ?? [];
  const schemes = `must use either 'https://' or 'http://'`;
  if (scheme === undefined) throw fail(`no scheme specified for ${quoted}: ${schemes}`);
  if (!/^https?$/i.test(scheme)) throw fail(`unsupported scheme ${JSON.stringify(scheme)} in ${quoted}: ${schemes}`);
  if (/[?#]/.test(rest)) throw fail(`query or fragment at end of the URI ${quoted}`);
  const user = /^([^/@]*)@/.exec(rest)?.[1];
  if (user !== undefined) {
    const hidden = text.replace(`${user}@`, `${user.replace(/:.*/, ':xxxxx')}@`);
    throw fail(`username/password not allowed in URI ${JSON.stringify(hidden)}`);
  }
  return `${text.replace(/\/+$/, '')}/`;
}

/** The registry without a scheme. A CIDR, a host, or a host with port. @throws Error */
export function checkRegistry(text: string): string {
  const bare = text.replace(/^https?:\/\//i, '');
  if (bare.startsWith('-') || bare.endsWith('-')) {
    throw new Error(`invalid index name (${bare}). Cannot begin or end with a hyphen`);
  }
  if (/^[0-9a-fA-F:.]+\/\d{1,3}$/.test(bare)) return bare;
  const [, host = '', port] = /^(.*?)(?::([^:\]]*))?$/.exec(bare) ?? [];
  if (!/^(?:[a-zA-Z0-9_.-]+|\[[0-9a-fA-F:.]+\])$/.test(host)) {
    throw new Error(`insecure registry ${bare} is not valid: invalid host ${JSON.stringify(host)}`);
  }
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65535)) {
    throw new Error(`insecure registry ${bare} is not valid: invalid port ${JSON.stringify(port)}`);
  }
  return bare;
}
