import {inRounds, type Measure, type MeasureName, type Scale} from './figure.ts'
import {load, type LoadOptions} from './load.ts'

/** A URL, and where its host is. */
export type Target = Pick<LoadOptions, 'url' | 'address'>

/** By name; undefined: this machine does not have the peer. `ours` is one of them. */
export type Targets = ReadonlyMap<string, Target | undefined>

interface Round {
  readonly requests: number
  /** Calls a second on 32 connections. */
  readonly many: number
  /** Median of a call on one connection, in µs. */
  readonly p50: number
}

async function round(target: Target, seconds: number): Promise<Round> {
  const many = await load({...target, connections: 32, seconds})
  const single = await load({...target, connections: 1, seconds})
  return {requests: many.requests + single.requests, many: many.perSecond, p50: single.p50}
}

/** Calls all targets in turn, round by round. Returns the rows, and the number of our calls. */
export async function callRounds(
  {rounds, seconds}: Scale,
  name: Extract<MeasureName, 'calls' | 'calls at a port' | 'calls by name'>,
  targets: Targets
): Promise<{readonly measures: readonly Measure[]; readonly requests: number}> {
  const all = async (length: number): Promise<ReadonlyMap<string, Round>> => {
    const done = new Map<string, Round>()
    for (const [peer, target] of targets) if (target !== undefined) done.set(peer, await round(target, length))
    return done
  }
  const warm = await all(1)
  const results = await inRounds(rounds, async () => all(seconds))
  const column = (peer: string, key: keyof Round): readonly number[] =>
    results.flatMap(done => done.get(peer)?.[key] ?? [])
  const rows = (row: MeasureName, unit: '/s' | 'µs', key: keyof Round): readonly Measure[] =>
    [...targets.keys()]
      .filter(peerName => peerName !== 'ours')
      .map(peerName => ({name: row, unit, ours: column('ours', key), peer: column(peerName, key), peerName}))
  return {
    measures: [...rows(name, '/s', 'many'), ...rows(`${name}: p50`, 'µs', 'p50')],
    requests: [warm, ...results].reduce((sum, done) => sum + (done.get('ours')?.requests ?? 0), 0)
  }
}
