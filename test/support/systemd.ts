/**
 * A real systemd as process 1 of its own namespaces, for tests of the service unit. /etc, /opt and /var
 * are overlays that vanish with it, its unit folder starts empty, and it reaches no other unit of the
 * machine: what is installed and run inside leaves nothing behind.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const SYSTEMD = '/lib/systemd/systemd';
const CGROUPS = '/sys/fs/cgroup/systemd'; // the named hierarchy, where cgroups are of version 1
const UNIFIED_CGROUPS = '/sys/fs/cgroup/unified'; // beside it, where the machine has both
const BOOT_TIMEOUT_MS = 60_000;

/** Runs inside new namespaces and becomes systemd. The targets that the unit names exist, but pull in nothing. */
const BOOT = `
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -t tmpfs -o mode=755 tmpfs /run
for folder in etc opt var; do
  mkdir -p /run/upper/$folder /run/scratch/$folder /run/empty
  mount -t overlay -o lowerdir=/$folder,upperdir=/run/upper/$folder,workdir=/run/scratch/$folder overlay /$folder
done
umount -l /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir -p ${CGROUPS}
mount -t cgroup -o none,name=systemd cgroup ${CGROUPS}
mount -t tmpfs tmpfs /etc/systemd/system
for target in sysinit basic multi-user network-online; do
  printf '[Unit]\\nDescription=%s\\nDefaultDependencies=no\\n' $target >/etc/systemd/system/$target.target
  wants=/lib/systemd/system/$target.target.wants
  if [ -d $wants ]; then mount --bind /run/empty $wants; fi
done
if [ -d /lib/systemd/system/sockets.target.wants ]; then mount --bind /run/empty /lib/systemd/system/sockets.target.wants; fi
export container=test
exec ${SYSTEMD} --system --unit=basic.target --log-target=console --show-status=no
`;

export interface Systemd {
  /** Runs a program inside and returns its exit status and output (both streams). */
  run(program: string, ...parameters: string[]): { status: number; output: string };
  /** Ends it and every process inside. */
  close(): Promise<void>;
}

/** @returns Why no systemd can be run here, or undefined. */
export function whyNoSystemd(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may';
  if (!existsSync(SYSTEMD)) return 'systemd is not installed';
  if (!existsSync(CGROUPS)) return `there is no ${CGROUPS}`;
  const probe = spawnSync('unshare', ['-fmpiuC', '--mount-proc', 'true']);
  return probe.status === 0 ? undefined : 'unshare cannot make namespaces';
}

export async function bootSystemd(): Promise<Systemd> {
  // Systemd takes the cgroup that it starts in for the root, of each hierarchy.
  const hierarchies = [CGROUPS, UNIFIED_CGROUPS].filter(path => existsSync(path));
  const cgroups = hierarchies.map(path => join(path, `caltrop-test-${process.pid}`));
  for (const cgroup of cgroups) mkdirSync(cgroup);
  const enter = cgroups.map(cgroup => `echo $$ >${cgroup}/cgroup.procs`).join(' && ');
  const script = `${enter} && exec unshare -fmpiuC --kill-child bash -c "$BOOT"`;
  const outer = spawn('bash', ['-c', script], { stdio: 'ignore', env: { PATH: process.env.PATH, BOOT } });
  const closed = new Promise<void>(resolve => outer.on('close', () => resolve()));
  const systemd: Systemd = {
    run(program, ...parameters) {
      const namespaces = ['-t', String(innerPid(outer)), '-m', '-p', '-i', '-u', '-C'];
      const options = { encoding: 'utf8', timeout: 120_000 } as const;
      const done = spawnSync(
        'nsenter',
        [...namespaces, `--wd=${process.cwd()}`, program, ...parameters],
        options,
      );
      return { status: done.status ?? -1, output: done.stdout + done.stderr };
    },
    async close() {
      outer.kill('SIGKILL');
      await closed;
      for (const cgroup of cgroups) removeCgroup(cgroup);
    },
  };
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  while (systemd.run('systemctl', 'is-system-running').output.trim() !== 'running') {
    if (Date.now() > deadline || outer.exitCode !== null) {
      await systemd.close();
      throw new Error('systemd did not come up in its namespaces');
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return systemd;
}

/** Process id, as seen from outside, of the only child of unshare: systemd. */
function innerPid(outer: ChildProcess): number {
  return Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim());
}

/** Also what systemd made below it; the kernel removes a cgroup only when its last process is gone. */
function removeCgroup(cgroup: string): void {
  const folders = spawnSync('find', [cgroup, '-depth', '-type', 'd'], { encoding: 'utf8' }).stdout;
  for (const folder of folders.split('\n').filter(Boolean)) {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        rmdirSync(folder);
        break;
      } catch {
        spawnSync('sleep', ['0.1']); // a process that was killed is still on its way out
      }
    }
  }
}
