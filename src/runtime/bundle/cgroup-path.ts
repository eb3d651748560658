// Owns where a container's cgroup lies. Pure.

/** Absolute path of a container's cgroup below the root of each hierarchy. */
export function cgroupPathOf(asked: string | undefined, engineParent: string, id: string): string {
  const parent = `/${asked || engineParent}`.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return `/${[...parent, id].join('/')}`;
}
