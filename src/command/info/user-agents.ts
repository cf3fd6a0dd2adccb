/**
 * Which client libraries are connected: each socket may say once what it is, base64 of
 * `1,<client>-<version>,<application>`, and takes it back when it closes. Source: protocol 02, section 3.
 */

/** The longest decoded user agent, bytes. */
const USER_AGENT_SIZE_MAX = 64;

/** What the info commands remember of one socket; the network layer makes one for each. */
export class InfoConnection {
  /** Base64, as it was sent; undefined until then. */
  userAgent: string | undefined = undefined;
}

export class UserAgents {
  readonly #counts = new Map<string, number>();

  /** @returns `ok`, or the error that the reference gives. */
  set(connection: InfoConnection, value: string): string {
    if (connection.userAgent !== undefined) return 'ERROR:4:already set';
    // Buffer.from skips what is no base64, so the round trip is the check.
    const decoded = Buffer.from(value, 'base64');
    if (value === '' || decoded.toString('base64') !== value) return "ERROR:4:'value' invalid base64";
    if (decoded.length > USER_AGENT_SIZE_MAX) return "ERROR:4:'value' too long";
    connection.userAgent = value;
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
    return 'ok';
  }

  /** To be called when the socket closes. */
  remove(connection: InfoConnection): void {
    const value = connection.userAgent;
    if (value === undefined) return;
    connection.userAgent = undefined;
    const count = this.#counts.get(value)! - 1;
    if (count === 0) this.#counts.delete(value);
    else this.#counts.set(value, count);
  }

  /** `user-agent=<b64>:count=<n>;…` */
  list(): string {
    return Array.from(this.#counts, ([value, count]) => `user-agent=${value}:count=${count}`).join(';');
  }
}
