/** Result of a check: all is well (`ok`), a run would have a problem (`fail`), or information only (`note`). */
export interface Check {
  readonly kind: 'ok' | 'fail' | 'note'
  readonly text: string
  /** Advice to the user; '': none. */
  readonly advice: string
}

export const ok = (text: string): Check => ({kind: 'ok', text, advice: ''})
export const fail = (text: string, advice: string): Check => ({kind: 'fail', text, advice})
export const note = (text: string, advice: string): Check => ({kind: 'note', text, advice})
