// mesh schema: JSON Schemas, draft 7, what editors understand best: of a job file, and of what commands print.
import { MeshError } from '../errors.ts';
import type { Context } from './context.ts';

export async function schema(context: Context, which: string): Promise<number> {
  context.out.line(JSON.stringify(await schemaOf(which), null, 2));
  return 0;
}

async function schemaOf(which: string): Promise<object> {
  switch (which) {
    case 'strategies':
      return (await import('../jobfile/editor-schema.ts')).strategiesJsonSchema();
    case 'peers':
      return (await import('../control/printed-schema.ts')).peersJsonSchema();
    case 'events':
      return (await import('../control/printed-schema.ts')).eventsJsonSchema();
    case 'config':
      return (await import('./config-file.ts')).configJsonSchema();
    default:
      throw new MeshError(
        'USAGE',
        `no schema "${which.slice(0, 40)}"; there are strategies, config, peers, events`,
        {
          hint: 'mesh schema strategies > strategies.schema.json',
        },
      );
  }
}
