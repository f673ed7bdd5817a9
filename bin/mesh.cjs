#!/usr/bin/env node
// The door: old enough syntax for any Node, so that one that is too old says a sentence instead of a stack. In a
// clone whose own Node (node_modules/.bin/node) is new enough, that one takes over.
'use strict';

const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const NODE_MIN = [22, 18];

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

function runWithOwnNode(ownNode) {
  const { spawn } = require('node:child_process');
  const words = [...process.execArgv, __filename, ...process.argv.slice(2)];
  const child = spawn(ownNode, words, { stdio: 'inherit' });
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  // A terminal sends Ctrl-C to the child as well, and two of them would mean "at once".
  process.on('SIGINT', () => onTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => {
    process.stderr.write(`error: cannot start ${ownNode}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (status, signal) => {
    process.exitCode = status === null ? 128 + constants.signals[signal] : status;
  });
}

function main() {
  if (!isNewEnough(process.version)) {
    const ownNode = join(__dirname, '..', 'node_modules', '.bin', 'node');
    if (existsSync(ownNode) && !process.env.MESH_NODE_TRIED) {
      process.env.MESH_NODE_TRIED = '1';
      runWithOwnNode(ownNode);
      return;
    }
    const wanted = NODE_MIN.join('.');
    process.stderr.write(
      `error: mesh needs Node.js ${wanted} or newer; this is ${process.version} (${process.execPath})\n` +
        'try: install Node.js 24 from https://nodejs.org, or: brew install node\n',
    );
    process.exitCode = 1;
    return;
  }
  delete process.env.MESH_NODE_TRIED;
  // Compiled code is kept between runs; a command that lives 60 ms spends most of them compiling.
  require('node:module').enableCompileCache();
  const sources = join(__dirname, '..', 'src', 'node', 'main.ts');
  const program = existsSync(sources) ? sources : join(__dirname, '..', 'dist', 'main.js');
  import(pathToFileURL(program).href).catch((error) => {
    process.stderr.write(`error: mesh cannot start: ${error.message}\n`);
    process.exitCode = 1;
  });
}

main();
