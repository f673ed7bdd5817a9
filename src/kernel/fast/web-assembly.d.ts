// What this room uses of WebAssembly: the language's own library of types does not hold it, and Node's types must
// not reach the kernel.

declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    /** By pages of 64 KiB. Throws a RangeError when there is no room. */
    grow(pages: number): number;
  }
  interface Instance {
    readonly exports: unknown;
  }
  const Instance: new (module: Module, imports: { env: { memory: Memory } }) => Instance;
  interface Module {
    readonly compiled?: never;
  }
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
}
