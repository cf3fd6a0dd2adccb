/** Small files that are replaced as a whole: after a crash there is the old one or the new one, never a part. */
import fs from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Replaces the file, durably. The folder must be there. @throws Error of the system, with the file as it was. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync(); // the rename is durable with its folder
  } finally {
    await folder.close();
  }
}

/** @returns The file's text, or undefined when there is none. @throws Error of the system. */
export function readFileIfAny(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
