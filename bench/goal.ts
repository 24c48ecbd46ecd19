/** What a figure has to reach; `ratio` is ours divided by the peer's, `difference` ours less the peer's. */
export interface Goal {
  readonly of: 'ours' | 'ratio' | 'difference'
  /** The peer that is meant where there are several. */
  readonly to?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** Where the time or the memory goes, if the goal is missed: sentences for the page. */
  readonly account?: string
}
