// A lint rule for src/kernel: rows must be equal bit for bit on every machine, so only what the language fixes to
// the last bit may be used. Of Math that is what IEEE 754 or the text of the standard defines; exp, log, pow, sin
// and their kind, and the operator `**`, are left to each engine and do differ between processors and versions.
// What depends on a locale or a time zone differs between users.

type Node = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly parent?: Node;
};

interface Context {
  report(fault: { node: Node; message: string }): void;
}

const EXACT_MATH = new Set(
  'abs min max floor ceil trunc round sign sqrt fround imul clz32 E LN2 LN10 LOG2E LOG10E PI SQRT1_2 SQRT2'.split(
    ' ',
  ),
);

/** toPrecision is exact by the standard, and grids round by it. */
const FOR_PEOPLE = /^(?:toLocale\w*|localeCompare|toFixed|toExponential)$/;

const rule = {
  create(context: Context) {
    const power = (node: Node): void => {
      if (node['operator'] !== '**' && node['operator'] !== '**=') return;
      context.report({ node, message: '`**` has other bits elsewhere: use pow of math.ts' });
    };
    return {
      BinaryExpression: power,
      AssignmentExpression: power,
      Identifier(node: Node): void {
        const { parent } = node;
        if (node['name'] !== 'Math' || parent === undefined) return;
        if (parent.type === 'MemberExpression' && parent['object'] === node) return;
        // Taken apart, renamed or handed over, nobody sees which of its functions is called.
        context.report({ node, message: 'say Math.name in full, so that it can be checked' });
      },
      MemberExpression(node: Node): void {
        const name = nameOf(node);
        const object = node['object'] as Node;
        if (object.type === 'Identifier' && object['name'] === 'Math') {
          if (name !== undefined && EXACT_MATH.has(name)) return;
          const what = name === undefined ? 'a function of Math chosen by name' : `Math.${name}`;
          context.report({ node, message: `${what} has other bits elsewhere: see math.ts` });
        } else if (name !== undefined && FOR_PEOPLE.test(name)) {
          context.report({ node, message: `${name} is for people: the kernel writes numbers` });
        }
      },
    };
  },
};

/** Undefined for `object[expression]`. */
function nameOf(member: Node): string | undefined {
  const property = member['property'] as Node;
  if (member['computed'] !== true) return property['name'] as string;
  return typeof property['value'] === 'string' ? property['value'] : undefined;
}

const plugin = { meta: { name: 'kernel' }, rules: { 'same-bits': rule } };

export default plugin;
