// A lint rule for src: nothing that is not in the repository is ever run as code. eval and Function have rules of the
// linter's own; here are node:vm, imports whose name is computed, and handlers given as text.

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

interface Context {
  report(fault: { node: Node; message: string }): void;
}

const VM = /^(?:node:)?vm$/;
const LATER = new Set(['setTimeout', 'setInterval', 'setImmediate']);

const rule = {
  create(context: Context) {
    const source = (node: Node): void => {
      const value = (node['source'] as Node | null)?.['value'];
      if (typeof value === 'string' && VM.test(value)) {
        context.report({ node, message: 'node:vm runs text as code: nothing here does' });
      }
    };
    return {
      ImportDeclaration: source,
      ExportNamedDeclaration: source,
      ExportAllDeclaration: source,
      ImportExpression(node: Node): void {
        source(node);
        const { type, value } = node['source'] as Node & { value?: unknown };
        if (type === 'Literal' && typeof value === 'string') return;
        context.report({ node, message: 'what is imported is written here, never computed' });
      },
      CallExpression(node: Node): void {
        const callee = node['callee'] as Node;
        const [first] = node['arguments'] as readonly Node[];
        const name = callee['name'];
        const isText = first?.type === 'TemplateLiteral' || typeof first?.['value'] === 'string';
        if (typeof name === 'string' && LATER.has(name) && isText) {
          context.report({ node, message: 'a handler is a function, never text' });
        }
      },
    };
  },
};

const plugin = { meta: { name: 'mesh' }, rules: { 'no-code-from-data': rule } };

export default plugin;
