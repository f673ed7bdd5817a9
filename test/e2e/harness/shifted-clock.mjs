// Loaded before a program, moves the wall clock that it sees by SHIFTED_BY_MS; the monotonic one stays.
const byMs = Number(process.env.SHIFTED_BY_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + byMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + byMs;
  }
};
