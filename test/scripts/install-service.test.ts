import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../scripts/support/server-process.js';
import { bootSystemd, whyNoSystemd } from '../support/systemd.js';
import { until } from '../support/until.js';

const SCRIPT = 'scripts/install-service';

function install(...parameters: string[]) {
  return spawnSync(SCRIPT, parameters, { encoding: 'utf8' });
}

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'caltrop-service-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test('a dry run prints the whole unit, with the paths asked for', t => {
  const { status, stdout, stderr } = install(
    '--dry-run',
    '--prefix',
    '/srv/node-a',
    '--config',
    '/etc/node-a.conf',
  );
  t.is(status, 0, stderr);
  t.notRegex(stdout, /@[A-Z]+@/);
  t.regex(stdout, /^ExecStart=\/\S+\/node \/srv\/node-a\/dist\/src\/main\.js --config \/etc\/node-a\.conf$/m);
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'User=caltrop',
    'LimitNOFILE=1048576',
    'LimitMEMLOCK=infinity',
    'LimitCORE=infinity',
  ]) {
    t.true(stdout.split('\n').includes(line), line);
  }
  // V8 writes code, and raw devices are wanted.
  t.notRegex(stdout, /^(MemoryDenyWriteExecute|PrivateDevices)=/m);
});

test('mistakes are refused before anything is touched', t => {
  t.is(install('--bogus').status, 2);
  t.is(install('--prefix').status, 2);
  t.is(install('--dry-run', '--prefix', '/usr').status, 1);
  t.is(install('--dry-run', '--prefix', '/opt/two words').status, 1);
  t.is(install('--help').status, 0);
});

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasAnalyze) console.warn('SKIPPED: checking the unit needs systemd-analyze');
(hasAnalyze ? test : test.skip)('systemd finds nothing wrong with the unit', t => {
  const unit = join(folder(t), 'caltrop.service');
  // A dry run installs no program: where Node would be copied along, the unit names what is not there yet.
  writeFileSync(unit, install('--dry-run').stdout.replaceAll('/opt/caltrop/bin/node', process.execPath));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    encoding: 'utf8',
  });
  t.is(stdout + stderr, '');
  t.is(status, 0);
});

const reason = whyNoSystemd();
if (reason !== undefined) console.warn(`SKIPPED: running the service under a real systemd: ${reason}`);
(reason === undefined ? test : test.skip)(
  'under a real systemd it installs, serves, comes back, reloads, stops, leaves',
  async t => {
    t.timeout(180_000);
    const systemd = await bootSystemd();
    t.teardown(() => systemd.close());
    const [port, httpPort] = [await freePort(), await freePort()];
    const config = '/etc/caltrop/caltrop.conf';
    const write = (text: string) =>
      systemd.run('bash', '-c', `mkdir -p /etc/caltrop && printf '%s' "$0" >${config}`, text);
    const show = (property: string) =>
      systemd.run('systemctl', 'show', 'caltrop', '-p', property, '--value').output.trim();
    const log = () => systemd.run('cat', '/var/log/caltrop/caltrop.log').output;

    write(configuration(port, httpPort));
    const installed = systemd.run(SCRIPT, '--now');
    t.is(installed.status, 0, installed.output);
    t.is(show('ActiveState'), 'active', log());
    t.regex(show('StatusText'), /\S/);
    t.is(await health(httpPort), 200);
    const firstPid = show('MainPID');
    t.regex(systemd.run('ps', '-o', 'user=', '-p', firstPid).output, /^caltrop/);

    systemd.run('mv', '/var/log/caltrop/caltrop.log', '/var/log/caltrop/caltrop.log.1');
    t.is(systemd.run('systemctl', 'reload', 'caltrop').status, 0);
    await until(
      'the log is there again',
      () => systemd.run('test', '-f', '/var/log/caltrop/caltrop.log').status === 0,
    );

    systemd.run('systemctl', 'kill', '--signal=KILL', '--kill-who=main', 'caltrop');
    await until('it is started again', () => show('ActiveState') === 'active' && show('NRestarts') === '1');
    t.not(show('MainPID'), firstPid);
    t.is(await health(httpPort), 200);

    t.is(systemd.run('systemctl', 'stop', 'caltrop').status, 0);
    t.is(show('Result'), 'success', log());
    t.is(show('ExecMainStatus'), '0');

    // A configuration that is refused is told of once, not tried again and again.
    write(configuration(port, httpPort).replace('cluster-name', 'cluster-nane'));
    t.not(systemd.run('systemctl', 'start', 'caltrop').status, 0);
    t.is(show('ActiveState'), 'failed');
    t.is(show('NRestarts'), '0');

    const removed = systemd.run(SCRIPT, '--uninstall');
    t.is(removed.status, 0, removed.output);
    t.not(systemd.run('test', '-e', '/opt/caltrop').status, 0);
    t.is(systemd.run('test', '-f', '/var/lib/caltrop/records.dat').status, 0);
  },
);

function configuration(port: number, httpPort: number): string {
  return `
service {
  cluster-name test
  work-directory /var/lib/caltrop
  http-port ${httpPort}
}
logging {
  file /var/log/caltrop/caltrop.log {
    context any info
  }
}
network {
  service {
    address 127.0.0.1
    port ${port}
  }
}
namespace test {
  replication-factor 1
  storage-engine device {
    file /var/lib/caltrop/records.dat
    filesize 64M
  }
}
`;
}

function health(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/health', agent: false }, reply => {
      reply.resume();
      resolve(reply.statusCode!);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
