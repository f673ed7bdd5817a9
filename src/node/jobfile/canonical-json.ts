// One byte sequence per value: keys sorted, no spaces, numbers in their shortest form. Jobs are addressed by
// the hash of these bytes, so the same file must give the same bytes on every machine. Every strategy of every job
// passes through here: plain loops, because lists of pairs cost three times as much.

export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? listText(value) : objectText(value as Record<string, unknown>);
}

function listText(items: readonly unknown[]): string {
  let text = '[';
  for (let at = 0; at < items.length; at++) {
    text += at === 0 ? canonicalJson(items[at]) : `,${canonicalJson(items[at])}`;
  }
  return `${text}]`;
}

function objectText(fields: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const key of Object.keys(fields).toSorted()) {
    const field = fields[key];
    if (field === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}
