/**
 * Settings of the machine that a database server wants, by the names that the reference reports in
 * `best-practices`. They are read once at start; none of them stops it.
 */
import { readFileSync } from 'node:fs';

interface Practice {
  readonly name: string;
  readonly path: string;
  /** Whether the file's text is what it should be. */
  isFollowed(text: string): boolean;
  readonly advice: string;
}

const PRACTICES: readonly Practice[] = [
  {
    name: 'max-map-count',
    path: '/proc/sys/vm/max_map_count',
    isFollowed: text => Number(text) >= 262_144,
    advice: 'set vm.max_map_count to 262144 or more, so that memory may grow',
  },
  {
    name: 'min-free-kbytes',
    path: '/proc/sys/vm/min_free_kbytes',
    isFollowed: text => Number(text) <= 1_153_434,
    advice: 'set vm.min_free_kbytes to 1153434 (1.1 GiB) or less',
  },
  {
    name: 'swappiness',
    path: '/proc/sys/vm/swappiness',
    isFollowed: text => Number(text) === 0,
    advice: 'set vm.swappiness to 0, so that the index is not swapped out',
  },
  {
    name: 'thp-enabled',
    path: '/sys/kernel/mm/transparent_hugepage/enabled',
    isFollowed: text => !text.includes('[always]'),
    advice: 'set transparent huge pages to madvise or never',
  },
  {
    name: 'thp-defrag',
    path: '/sys/kernel/mm/transparent_hugepage/defrag',
    isFollowed: text => !text.includes('[always]'),
    advice: 'set the defrag of transparent huge pages to madvise or never',
  },
  {
    name: 'zone-reclaim-mode',
    path: '/proc/sys/vm/zone_reclaim_mode',
    isFollowed: text => Number(text) === 0,
    advice: 'set vm.zone_reclaim_mode to 0',
  },
];

export interface FailedPractice {
  readonly name: string;
  /** One line for the log. */
  readonly advice: string;
}

/** The practices that this machine doesn't follow. What cannot be read is not judged. */
export function failedPractices(): FailedPractice[] {
  return PRACTICES.filter(({ path, isFollowed }) => {
    try {
      return !isFollowed(readFileSync(path, 'utf8').trim());
    } catch {
      return false; // no such file on this kernel, or hidden from this user
    }
  }).map(({ name, advice }) => ({ name, advice }));
}
