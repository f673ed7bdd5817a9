// The service's files, read as launchd, systemd and sh read them.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../../../src/node/peer-flags.ts';
import {
  launchdPlist,
  type Service,
  systemdUnit,
  wrapperPath,
  wrapperScript,
} from '../../../src/node/service/service-files.ts';

let place: string;

beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'mesh-service-')));
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

function service(change: Partial<Service> = {}): Service {
  return {
    home: '/Users/me/.mesh',
    node: '/opt/homebrew/bin/node',
    program: '/opt/homebrew/lib/node_modules/strategy-mesh/bin/mesh.cjs',
    words: ['--slots=4', '--peer=100.77.179.14'],
    isPolite: false,
    ...change,
  };
}

/** A program that prints how it was called. */
function printer(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '#!/bin/sh\nprintf "%s|" "$0" "$MESH_HOME" "$MALLOC_ARENA_MAX" "$@"\n');
  chmodSync(path, 0o755);
  return path;
}

function run(script: string, path: string) {
  const file = join(place, 'mesh-node');
  writeFileSync(file, script);
  return spawnSync('/bin/sh', [file], { encoding: 'utf8', env: { PATH: path } });
}

type Plist = string | number | boolean | readonly Plist[] | { readonly [key: string]: Plist };

/** As plutil reads it: one element after the other, and nothing but elements. */
function parsePlist(text: string): Plist {
  const body = text.slice(text.indexOf('<plist version="1.0">') + 21, text.indexOf('</plist>'));
  const tokens = [...body.matchAll(/<(\/?)(\w+)(\/?)>|([^<]+)/g)].filter(
    ([whole]) => whole.trim() !== '',
  );
  let at = 0;
  const take = (): RegExpExecArray => {
    const token = tokens[at++];
    if (token === undefined) throw new Error('the plist ends early');
    return token;
  };
  const textUntilClose = (name: string): string => {
    const content = take();
    if (content[0] === `</${name}>`) return '';
    if (take()[0] !== `</${name}>`) throw new Error(`<${name}> is not closed`);
    return (content[4] ?? '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');
  };
  const value = (): Plist => {
    const [whole, , name = ''] = take();
    switch (name) {
      case 'true':
      case 'false':
        return name === 'true';
      case 'string':
        return textUntilClose(name);
      case 'integer':
        return Number(textUntilClose(name));
      case 'array': {
        const items: Plist[] = [];
        while (tokens[at]?.[0] !== '</array>') items.push(value());
        at++;
        return items;
      }
      case 'dict': {
        const entries: [string, Plist][] = [];
        while (tokens[at]?.[0] !== '</dict>') {
          if (take()[0] !== '<key>') throw new Error('a dict wants a key');
          entries.push([textUntilClose('key'), value()]);
        }
        at++;
        return Object.fromEntries(entries);
      }
      default:
        throw new Error(`no plist: ${whole}`);
    }
  };
  const root = value();
  if (at !== tokens.length) throw new Error('more than one value');
  return root;
}

describe('the launchd agent', () => {
  test('starts the script at login, again only when it failed, and is not throttled', () => {
    expect(parsePlist(launchdPlist(service()))).toEqual({
      Label: 'dev.mesh.node',
      ProgramArguments: ['/Users/me/.mesh/bin/mesh-node'],
      WorkingDirectory: '/Users/me/.mesh',
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ExitTimeOut: 30,
      ProcessType: 'Interactive',
      StandardOutPath: '/Users/me/.mesh/logs/node.log',
      StandardErrorPath: '/Users/me/.mesh/logs/node.log',
    });
  });

  test('is Background when it shall be polite', () => {
    expect(parsePlist(launchdPlist(service({ isPolite: true })))).toMatchObject({
      ProcessType: 'Background',
    });
  });

  test('may live in a home of any name', () => {
    const home = '/Users/R&D <new>/.mesh';
    expect(parsePlist(launchdPlist(service({ home })))).toMatchObject({
      ProgramArguments: [wrapperPath(home)],
      WorkingDirectory: home,
    });
  });
});

describe('the systemd unit', () => {
  test('has the same rules', () => {
    const lines = systemdUnit(service()).split('\n');
    expect(lines).toContain('ExecStart=/bin/sh "/Users/me/.mesh/bin/mesh-node"');
    expect(lines).toContain('Restart=on-failure');
    expect(lines).toContain('WantedBy=default.target');
    expect(lines.some((line) => line.startsWith('Nice='))).toBe(false);
    expect(systemdUnit(service({ isPolite: true }))).toMatch(/^Nice=10\nCPUWeight=20$/m);
  });

  test.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
    'is one in the eyes of systemd, whatever the name of the home',
    () => {
      for (const name of ['plain', 'with space', '100%h', 'a"quote']) {
        const home = join(place, name);
        mkdirSync(join(home, 'bin'), { recursive: true });
        writeFileSync(wrapperPath(home), wrapperScript(service({ home })));
        chmodSync(wrapperPath(home), 0o700);
        const unit = join(place, 'mesh.service');
        writeFileSync(unit, systemdUnit(service({ home })));
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], {
          encoding: 'utf8',
        });
        const about = stderr.split('\n').filter((line) => line.includes('mesh.service'));
        expect({ name, status, about }).toEqual({ name, status: 0, about: [] });
      }
    },
  );
});

describe('the script', () => {
  test('starts the node with the Node that installed it, words and home whole', () => {
    const node = printer(join(place, "it's node", 'node'));
    const home = join(place, 'my $HOME');
    const script = wrapperScript(service({ node, home, words: ['--name=a b', '--slots=2'] }));
    expect(run(script, '').stdout.split('|')).toEqual([
      node,
      home,
      PEER_ENVIRONMENT.MALLOC_ARENA_MAX,
      ...PEER_FLAGS,
      service().program,
      'join',
      '--foreground',
      '--quiet',
      '--name=a b',
      '--slots=2',
      '',
    ]);
  });

  test('finds another Node when that one is gone', () => {
    const other = printer(join(place, 'bin', 'node'));
    const script = wrapperScript(service({ node: '/gone/node' }));
    expect(run(script, join(place, 'bin')).stdout.split('|')[0]).toBe(other);
  });
});
