/** What was looked at: all is well, or it would go wrong and this is what to do; `note`: good to know, nothing is wrong. */
export interface Remark {
  readonly kind: 'well' | 'wrong' | 'note'
  readonly text: string
  /** What to do, '' where there is nothing to do. */
  readonly advice: string
}

export const well = (text: string): Remark => ({kind: 'well', text, advice: ''})
export const wrong = (text: string, advice: string): Remark => ({kind: 'wrong', text, advice})
export const note = (text: string, advice: string): Remark => ({kind: 'note', text, advice})
