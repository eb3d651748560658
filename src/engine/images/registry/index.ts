// The face of the registry client.
export function createRegistryClient(_o: unknown, _a: string): Disposable {
  return { [Symbol.dispose]() {} };
}
