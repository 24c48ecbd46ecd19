/** What was looked at: all is well, or it would go wrong and this is what to do; `note`: good to know, nothing is wrong. */
export interface Check {
  readonly kind: 'ok' | 'fail' | 'note'
  readonly text: string
  /** What to do, '' where there is nothing to do. */
  readonly advice: string
}

export const ok = (text: string): Check => ({kind: 'ok', text, advice: ''})
export const fail = (text: string, advice: string): Check => ({kind: 'fail', text, advice})
export const note = (text: string, advice: string): Check => ({kind: 'note', text, advice})
