// Owns an object with some of its methods replaced, for tests. A class with private fields cannot be copied.

/** `target` with `replacements` in place of its own members, and with what is assigned later. Other methods run on `target` itself. */
export function instead<T extends object>(target: T, replacements: Partial<T>): T {
  const own: Record<PropertyKey, unknown> = { ...replacements };
  return new Proxy(target, {
    set(_, key, value) {
      own[key] = value;
      return true;
    },
    get(object, key) {
      if (Object.hasOwn(own, key)) return own[key];
      const value: unknown = Reflect.get(object, key, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
