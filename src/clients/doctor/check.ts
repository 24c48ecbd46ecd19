/** The result of a check: all is well, or something would go wrong, with advice; `note`: information only. */
export interface Check {
  readonly kind: 'ok' | 'fail' | 'note'
  readonly text: string
  /** The advice; may be empty. */
  readonly advice: string
}

export const ok = (text: string): Check => ({kind: 'ok', text, advice: ''})
export const fail = (text: string, advice: string): Check => ({kind: 'fail', text, advice})
export const note = (text: string, advice: string): Check => ({kind: 'note', text, advice})
