/**
 * Which key a device set is opened with, and the refusals: of a wrong key, of encryption that the set has not, and of
 * its absence where the set has it. The messages name what cures them.
 */
import { StorageError, type StorageLog } from '../device/storage-error.js';
import { algorithmOf, type DataKey, unwrapKey, wrapKey, wrappingKeyOf } from './data-key.js';

/** What the configuration says. */
export interface EncryptionSettings {
  algorithm: DataKey['algorithm'];
  keyFile: string;
  /** The key file before this one, or '': what it opens is wrapped anew. */
  oldKeyFile: string;
}

/** A device's part in it. */
export interface EncryptedHeader {
  setId: Uint32Array;
  /** As data-key.ts says; all zeros: not encrypted. */
  wrappedKey: Uint8Array;
}

/**
 * Opens the data key that lies in the headers of a set. Those that only the old key file opens get the key wrapped
 * by the new one; the caller writes them.
 * @param settings null: no encryption is configured.
 * @returns null for a set that is not encrypted.
 * @throws StorageError.
 */
export function openDataKey(
  settings: EncryptionSettings | null,
  devices: readonly { path: string; header: EncryptedHeader }[],
  log: StorageLog,
): DataKey | null {
  const { setId } = devices[0]!.header;
  const found = devices.map(({ path, header }) => {
    checkAlgorithm(settings, path, algorithmOf(header.wrappedKey));
    return { path, header };
  });
  if (settings === null) return null;
  const wrappingKey = wrappingKeyOf(settings.keyFile, setId);
  const oldWrappingKey = settings.oldKeyFile === '' ? null : wrappingKeyOf(settings.oldKeyFile, setId);
  let dataKey: DataKey | null = null;
  for (const { path, header } of found) {
    let opened = unwrapKey(header.wrappedKey, wrappingKey, setId);
    if (opened === null && oldWrappingKey !== null) {
      opened = unwrapKey(header.wrappedKey, oldWrappingKey, setId);
      if (opened !== null) {
        header.wrappedKey = wrapKey(opened, wrappingKey, setId);
        log.info(`${path}: its encryption key is now protected by ${settings.keyFile}`);
      }
    }
    if (opened === null || (dataKey !== null && !Buffer.from(opened.bytes).equals(dataKey.bytes))) {
      throw new StorageError(path, wrongKey(settings));
    }
    dataKey = opened;
  }
  return dataKey;
}

function checkAlgorithm(
  settings: EncryptionSettings | null,
  path: string,
  found: ReturnType<typeof algorithmOf>,
): void {
  if (found === undefined) {
    throw new StorageError(
      path,
      'is encrypted in a way that this version does not know; use the version that wrote it',
    );
  }
  if (found === (settings?.algorithm ?? 'none')) return;
  if (found === 'none') {
    throw new StorageError(
      path,
      `was created without encryption, ${settings!.algorithm} is configured; take encryption and encryption-key-file out of the configuration, or move the data to new files`,
    );
  }
  if (settings === null) {
    throw new StorageError(
      path,
      `is encrypted; configure encryption ${found} and the encryption-key-file that it was created with`,
    );
  }
  throw new StorageError(
    path,
    `was created with encryption ${found}, ${settings.algorithm} is configured; configure ${found}, or move the data to new files`,
  );
}

function wrongKey({ keyFile, oldKeyFile }: EncryptionSettings): string {
  return oldKeyFile === ''
    ? `cannot be decrypted with the key in ${keyFile}; name the right encryption-key-file, and if the key was replaced, the one before as encryption-old-key-file`
    : `cannot be decrypted with the key in ${keyFile} nor with the old one in ${oldKeyFile}; name the right files`;
}
