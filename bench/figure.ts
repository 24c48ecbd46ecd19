/** How much is done: the whole, or just enough to see that everything works and roughly where it stands. */
export interface Scale {
  readonly rounds: number
  /** Length of one round of calls. */
  readonly seconds: number
  /** Lines of one round of a pump. */
  readonly lines: number
  /** Lines before memory is looked at. */
  readonly flood: number
  /** Calls before memory is looked at. */
  readonly calls: number
}

export const WHOLE: Scale = {rounds: 5, seconds: 5, lines: 2_000_000, flood: 2_000_000, calls: 100_000}
/** For the page of figures: all that stand there take a quarter of an hour. */
export const PAGE: Scale = {rounds: 5, seconds: 2, lines: 1_000_000, flood: 2_000_000, calls: 100_000}
export const SHORT: Scale = {rounds: 2, seconds: 1, lines: 500_000, flood: 500_000, calls: 10_000}

/** What was measured, a number for each round. */
export interface Measure {
  /** The row's name, which is also its goal's. */
  readonly name: MeasureName
  readonly unit: Unit
  readonly ours: readonly number[]
  /** The peer's numbers of the same rounds; empty: the peer is not on this machine, or there is none (`peerName` is ''). */
  readonly peer: readonly number[]
  readonly peerName: string
  /** Why the peer has no numbers; left out: it is not on this machine. */
  readonly why?: string
  /** Something else is used up: its goal counts as met, and this says what. */
  readonly bound?: string
}

export type Unit = '/s' | 'MB/s' | '%' | 'ms' | 'µs' | 'MB' | 'calls' | 'lines'

export type PumpName = 'pump, line by line' | 'pump, buffered'

export type MeasureName =
  | 'start: all started'
  | 'start: all answered'
  | 'calls'
  | 'calls: metrics'
  | 'calls: retries, metrics'
  | 'calls: access control'
  | 'calls: recorder'
  | 'latency'
  | `port: ${'calls' | 'p50' | '10,000 connections, memory' | 'caller, 400 processes' | 'outside, 400 processes'}`
  | `spans: ${'2,000/s, CPU' | 'memory after 100,000'}`
  | `threads: ${4 | 8 | 32} connections`
  | 'threads: busy, 32 connections'
  | 'p99.9, 5,000 calls/s'
  | 'gRPC: 32 streams'
  | 'gRPC: 32 streams, direct'
  | 'gRPC: 32 connections'
  | 'gRPC: latency'
  | `gRPC: 32 ${'streams' | 'connections'}, CPU`
  | 'gRPC: InvokeService'
  | 'gRPC: InvokeService, HTTP'
  | 'gRPC: settings'
  | 'gRPC: memory'
  | `blocks${'' | ' on Redis' | ', bare'}: ${'get' | 'p50' | 'save' | 'published' | 'delivered'}`
  | 'blocks: memory'
  | `gRPC blocks${'' | ', CPU'}: ${'get' | 'save' | 'published' | 'delivered'}`
  | 'gRPC blocks: p50'
  | "manager's port"
  | "manager's port, with a shadow"
  | PumpName
  | `${PumpName}: lost`
  | 'flood: 50,000 lines/s'
  | 'flood: full speed'
  | 'save → new code'
  | 'save: lost calls'
  | 'overlap: p99.9, saves'
  | 'stop'
  | `ten apps: ${'listen' | 'memory' | 'stop'}`
  | `copies: ${'started' | 'answered' | 'memory'}`
  | `wait: ${'ready' | 'idle, late'}`
  | `page: ${'first paint' | 'first row' | '50,000 calls/s' | '1,600 lines/s' | 'longest task'}`
  | `watched: p99, ${'page' | 'exports'}`
  | `memory${'' | ': calm' | ': calm, not recorded'}`
  | `apps: ${number}, ${'started' | 'CPU' | 'memory' | 'stop'}`
  | `lazy: ${'40 addresses' | '40 apps, memory' | 'first call' | '40 first calls at once'}`
  | 'memory: after a flood'
  | `startup: ${'--version' | '--help' | 'run'}, ${'npm' | 'binary'}`
  | 'size: binary'
  | `bad input: ${'p99' | 'memory'}, ${string}`
  | `hostile: ${'p99' | 'longest' | 'memory'}, ${string}`
  | 'hostile: one command of Redis'
  | `actors: ${'1,000 ids' | 'one id' | 'other sidecar' | 'transactions'}, CPU`
  | 'actors: p50'
  | 'actors: 2,000 reminders, late'
  | `actors: memory, ${'idle' | 'after' | '100,000 active'}`
  | `workflows: ${'one activity' | 'three activities'}${'' | ', CPU' | ', core of the worker'}`
  | `workflows: 100 activities in sequence${'' | ', core of the worker'}`
  | `workflows: ${'p50' | 'p90' | 'memory, idle' | 'memory, after 10,000'}`
  | `crypto: ${'encrypt' | 'decrypt'}${'' | ', CPU'}`
  | `crypto: encrypt, against an echo${'' | ', CPU'}`
  | 'crypto: memory'
  | 'conversation: p50, added'
  | `jobs: ${'2,000 in one second, last' | '10,000 at once, last' | '100,000, memory' | '100,000, start'}`
  | `workflows: 100,000 timers, ${'memory' | 'start'}`

export interface Figure {
  readonly name: string
  /** Programs without which it cannot be taken. */
  readonly needs: readonly string[]
  /** Throws when what was measured does not count: calls failed, lines were lost, headers were missing. */
  measure(scale: Scale): Promise<readonly Measure[]>
}

/** Repeats one round after the other. */
export async function inRounds<T>(rounds: number, round: (number: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (let number = 0; number < rounds; number++) results.push(await round(number))
  return results
}
