/**
 * Puts the program into a folder of its own, with the packages that it needs to run and their licences:
 * `node package-release.js DIRECTORY`, run by scripts/package-release, which has built everything. What is copied was
 * installed by the lock file; nothing is fetched.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_CONFIG_TEXT } from '../src/config/default-config.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Written by npm: every package that is installed, by its folder. */
const INSTALLED = 'node_modules/.package-lock.json';
/** Needed to compile the addon only. */
const FOR_BUILDING = 'node_modules/node-api-headers';
/** Of uWebSockets.js: binaries of the oldest Node that runs us, here; its documentation stays behind. */
const UWS_BINARY = `uws_${process.platform}_${process.arch}_115.node`;

const LAUNCHER = `#!/bin/sh
# Runs the server: bin/caltrop [--config FILE] [other options, see --help]. It needs Node 20.19 or newer and nothing else.
exec node "$(dirname "$(readlink -f "$0")")/../dist/src/main.js" "$@"
`;

interface InstalledPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

function main(): void {
  const target = process.argv[2];
  if (target === undefined) throw new Error('name the folder to fill');
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty`);
  const copy = (from: string, isWanted: (file: string) => boolean = () => true): void => {
    mkdirSync(path.dirname(path.join(target, from)), { recursive: true });
    const options = { recursive: true, dereference: true, filter: isWanted };
    cpSync(path.join(ROOT, from), path.join(target, from), options);
  };
  const write = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
    writeFileSync(path.join(target, name), text);
  };
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  copy('dist/src');
  for (const name of ['package.json', 'LICENSE', 'README.md']) copy(name);
  for (const name of ['scripts/install-service', 'scripts/caltrop.service']) copy(name);
  const addon = existsSync(path.join(ROOT, 'native/build/caltrop.node')) ? 'caltrop.node' : 'reason';
  if (existsSync(path.join(ROOT, 'native/build', addon))) copy(`native/build/${addon}`);
  write('caltrop.conf', DEFAULT_CONFIG_TEXT);
  write('bin/caltrop', LAUNCHER);
  chmodSync(path.join(target, 'bin/caltrop'), 0o755);
  write('RELEASE', `caltrop ${version} for ${process.platform}-${process.arch}, Node 20.19 or newer\n`);
  const packages = packagesToRun();
  for (const [folder] of packages)
    copy(folder, file => isNeeded(folder, path.relative(path.join(ROOT, folder), file)));
  write('THIRD-PARTY-LICENSES', packages.map(licenceOf).join(`\n${'-'.repeat(78)}\n\n`));
}

/** Folders of the packages that the program loads, in order. */
function packagesToRun(): [folder: string, installed: InstalledPackage][] {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, INSTALLED), 'utf8')) as {
    packages: Record<string, InstalledPackage>;
  };
  return Object.entries(packages)
    .filter(
      ([folder, { dev }]) => dev !== true && folder !== FOR_BUILDING && existsSync(path.join(ROOT, folder)),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether a file of a package is one that this machine's kind can use. @param file Its path in the package. */
function isNeeded(folder: string, file: string): boolean {
  const parts = file.split(path.sep);
  if (parts[0] === 'node_modules') return false; // those have entries of their own
  if (parts[0] === 'prebuilds' && parts.length > 1) return parts[1] === `${process.platform}-${process.arch}`;
  if (folder !== 'node_modules/uWebSockets.js') return true;
  if (parts[0] === 'docs') return false;
  return !file.endsWith('.node') || file === path.join('binaries', UWS_BINARY);
}

function licenceOf([folder, { version, license }]: [string, InstalledPackage]): string {
  const full = path.join(ROOT, folder);
  const described = JSON.parse(readFileSync(path.join(full, 'package.json'), 'utf8')) as {
    name: string;
    author?: string | { name?: string };
    repository?: string | { url?: string };
  };
  const { author, repository } = described;
  const by = typeof author === 'object' ? author.name : author;
  const from = typeof repository === 'object' ? repository.url : repository;
  const texts = readdirSync(full)
    .filter(name => /^(licen[cs]e|copying|notice)/i.test(name))
    .sort()
    .map(name => readFileSync(path.join(full, name), 'utf8').trim());
  const head = [
    `${described.name} ${version}`,
    `Licence: ${license}`,
    by && `By: ${by}`,
    from && `From: ${from}`,
  ];
  const none = `The package holds no text of its licence, ${license}.`;
  return `${head.filter(Boolean).join('\n')}\n\n${texts.length > 0 ? texts.join('\n\n') : none}\n`;
}

main();
