// Plants bugs: replaces single methods of the core until they are undone.

const undo: (() => void)[] = [];

export function undoAll(): void {
  while (undo.length > 0) undo.pop()?.();
}

/** Replaces one method. */
export function replace<T extends object, K extends keyof T>(
  room: { readonly prototype: T },
  method: K,
  by: (original: T[K]) => T[K],
): void {
  const original = room.prototype[method];
  undo.push(() => {
    room.prototype[method] = original;
  });
  room.prototype[method] = by(original);
}

/** The same for what is read like a field. */
export function replaceGetter<T extends object>(
  room: { readonly prototype: T },
  name: keyof T,
  get: () => unknown,
): void {
  const original = Object.getOwnPropertyDescriptor(room.prototype, name);
  if (original === undefined) throw new Error(`there is no ${String(name)}`);
  undo.push(() => Object.defineProperty(room.prototype, name, original));
  Object.defineProperty(room.prototype, name, { configurable: true, get });
}
