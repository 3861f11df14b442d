/** What the steps of a run touch. */
export class Tracker {
  /** The running step touches `key` of `subject`. */
  touch(_subject: object, _key: PropertyKey | undefined, _isWrite: boolean): void {
    // under construction
  }
}
