/** How much a figure does: the whole, or a glance. */
export interface Scale {
  readonly rounds: number
  /** Length of one round of calls. */
  readonly seconds: number
  /** Lines of one round of the log. */
  readonly lines: number
  /** Calls before memory is read. */
  readonly calls: number
}

export const WHOLE: Scale = {rounds: 5, seconds: 2, lines: 1_000_000, calls: 100_000}
export const SHORT: Scale = {rounds: 2, seconds: 1, lines: 200_000, calls: 10_000}

/** One row: a number for each round. */
export interface Measure {
  /** The row's name, which its goal has, too. */
  readonly name: MeasureName
  readonly unit: Unit
  readonly ours: readonly number[]
  /** Numbers of the peer in the same rounds. Empty: the peer is missing on this machine, or `peerName` is ''. */
  readonly peer: readonly number[]
  readonly peerName: string
  /** Reason of missing numbers of the peer. Default: the machine does not have it. */
  readonly why?: string
}

export type Unit = '/s' | 'ms' | 'µs' | 'MB' | 'calls' | 'lines'

export type MeasureName =
  | `ten apps: ${'started' | 'answered' | 'listen' | 'memory' | 'stop'}`
  | `200 apps: ${'started' | 'memory' | 'stop'}`
  | `calls${'' | ' at a port' | ' by name'}${'' | ': p50'}`
  | `gRPC: ${'32 streams' | 'p50'}`
  | `memory${'' | ': calm'}`
  | `lines${'' | ': lost'}`
  | 'save → new code'
  | 'save: lost calls'
  | `${'blocks' | 'blocks on Redis'}: ${'get' | 'p50' | 'save' | 'published'}`
  | `workflows: ${'one activity' | 'CPU' | 'p50'}`

export interface Figure {
  readonly name: string
  /** Title of its part of the page. */
  readonly title: string
  /** Description for the page. */
  readonly what: string
  /** Programs that it needs. */
  readonly needs: readonly string[]
  /** Throws when a round does not count: calls failed, lines were lost, headers were missing. */
  measure(scale: Scale): Promise<readonly Measure[]>
}

/** Repeats one round after the other. */
export async function inRounds<T>(rounds: number, round: (number: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (let number = 0; number < rounds; number++) results.push(await round(number))
  return results
}
