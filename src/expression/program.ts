/** An expression, compiled. Immutable: who holds one may keep it as long as needed. */
export class Program {
  /** Static type of its value. */
  readonly type: number;
  /** Whether its value is a boolean, so that it may serve as a filter. */
  readonly isFilter: boolean;

  constructor(type: number, isFilter: boolean) {
    this.type = type;
    this.isFilter = isFilter;
  }
}
