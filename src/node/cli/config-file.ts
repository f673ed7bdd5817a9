// The form of config.json, for those who have one: read with line and column, like a job file.
import * as z from 'zod';
import { MeshError } from '../errors.ts';
import { type Finding, locateFindings, syntaxProblems } from '../jobfile/place.ts';
import { formatProblems, type Problem } from '../jobfile/problem.ts';
import { unknownKeyFinding, valueAt, valueFinding } from '../jobfile/value-finding.ts';
import type { Settings } from './settings.ts';

const configSchema = z.strictObject({
  $schema: z.string().optional().describe('for editors'),
  name: z.string().optional().describe('what people call this machine'),
  peers: z.array(z.string()).optional().describe('machines of the mesh: IP or host:port'),
  slots: z.int().optional().describe('backtests at a time'),
  memory: z.string().optional().describe('for candles and what is computed of them, such as "2G"'),
  listen: z.string().optional().describe('the address that the others use: IP or IP:PORT'),
  port: z.int().optional().describe('where to listen'),
  keep: z.string().optional().describe('how long ended jobs stay, such as "90d,50GB"'),
  allowNet: z.array(z.string()).optional().describe('networks beside the tailnet: CIDR'),
  polite: z.boolean().optional().describe('rest while somebody works here, and on battery'),
  awake: z.boolean().optional().describe('keep the machine awake while a job runs'),
  work: z.boolean().optional().describe('false: submit and look only'),
  keepTrying: z.boolean().optional().describe('stay, and dial peers that do not answer yet'),
});

type Config = z.infer<typeof configSchema>;

export function configJsonSchema(): object {
  const { $schema, ...form } = z.toJSONSchema(configSchema, { target: 'draft-7' });
  return { $schema, $id: 'urn:mesh:config:1', title: 'mesh config v1', ...form };
}

/** `check` throws a MeshError whose sentence begins with the place that it is given. */
export function readConfig(
  path: string,
  text: string,
  check: (settings: Settings, place: string) => void,
): Settings {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw refused(syntaxProblems(path, text));
  }
  const { data, error } = configSchema.safeParse(file);
  if (data === undefined) {
    throw refused(
      locateFindings(
        path,
        text,
        error.issues.flatMap((issue) => findingsOf(file, issue)),
      ),
    );
  }
  const findings = Object.keys(data).flatMap((key): Finding[] => {
    try {
      check(settingsOf({ [key]: data[key as keyof Config] }), `"${key}"`);
      return [];
    } catch (fault) {
      if (!(fault instanceof MeshError)) throw fault;
      return [{ path: [key], message: fault.message, hint: fault.hint }];
    }
  });
  if (findings.length > 0) throw refused(locateFindings(path, text, findings));
  delete data.$schema;
  return settingsOf(data);
}

function settingsOf({ peers, slots, port, ...rest }: Config): Settings {
  return {
    ...rest,
    ...(peers === undefined ? {} : { peer: peers }),
    ...(slots === undefined ? {} : { slots: String(slots) }),
    ...(port === undefined ? {} : { port: String(port) }),
  } as Settings;
}

function findingsOf(file: unknown, issue: z.core.$ZodIssue): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? '' : part));
  if (issue.code !== 'unrecognized_keys') return [valueFinding(issue, path, valueAt(file, path))];
  const keys = Object.keys(configSchema.shape);
  return issue.keys.map((key) => unknownKeyFinding(path, key, keys));
}

function refused(problems: readonly Problem[]): MeshError {
  return new MeshError('BAD_INPUT', formatProblems(problems), {
    hint: 'mesh schema config',
  });
}
