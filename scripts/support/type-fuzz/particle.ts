/** A value in stored form, alone in its bytes. */
export interface Particle {
  readonly type: number;
  readonly bytes: Uint8Array;
}
