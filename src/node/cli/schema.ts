// mesh schema strategies: the JSON Schema of a job file, for editors.
import { MeshError } from '../errors.ts';
import type { Context } from './context.ts';

export async function schema(context: Context, which: string): Promise<number> {
  if (which !== 'strategies') {
    throw new MeshError('USAGE', `no schema "${which.slice(0, 40)}"`, {
      hint: 'mesh schema strategies > strategies.schema.json',
    });
  }
  const { strategiesJsonSchema } = await import('../jobfile/schema.ts');
  context.out.line(JSON.stringify(strategiesJsonSchema(), null, 2));
  return 0;
}
