/** Damage to the indexes that lists and maps persist, as no client can do it, but a device. */
import { Container } from '../../../src/data/cdt/container.js';
import { LIST, MAP } from '../../../src/data/type.js';
import type { Random } from '../../../src/tools/load-test/random.js';
import type { OpCase } from './case.js';
import type { Particle } from './particle.js';

const BYTES_MAX = 3;

const container = new Container();

/** The case with some bytes of all indexes overwritten; undefined when there is none in it. */
export function withDamagedIndex(c: OpCase, random: Random): OpCase | undefined {
  const target = c.target && damaged(c.target, random);
  const bins = c.bins.map(([name, value]): [string, Particle] => [name, damaged(value, random)]);
  if (target === c.target && bins.every(([, value], k) => value === c.bins[k]![1])) return undefined;
  return { ...c, target, bins };
}

function damaged(value: Particle, random: Random): Particle {
  const { type, bytes } = value;
  if ((type !== LIST && type !== MAP) || !container.open(bytes, 0, bytes.length)) return value;
  const { tableAt, contentAt } = container;
  if (tableAt < 0) return value;
  const changed = bytes.slice();
  const size = contentAt - tableAt - (type === MAP ? 1 : 0); // a map's flags are followed by nil
  for (let left = 1 + random.below(BYTES_MAX); left > 0; left--) {
    changed[tableAt + random.below(size)] = random.below(4) === 0 ? 0xff : random.below(256);
  }
  return { type, bytes: changed };
}
