import {setTimeout as pause} from 'node:timers/promises'
import {messageOf} from '../../src/model/errors.ts'
import {usageOf, type Usage} from '../rig/usage.ts'
import {soon} from './connection.ts'
import type {Kind} from './kinds.ts'
import {Random} from './random.ts'
import type {Target} from './target.ts'

/** What is kept of each of some thousand cases is more than that. */
const MOST_MORE_IN_USE_MB = 2
/** Memory that the heap takes from the system comes and goes by 40 MB. */
const MOST_MORE_MB = 80
/** Connections to apps that are kept for the next call, and such. */
const MOST_MORE_DESCRIPTORS = 4
/** Kept connections are closed after three seconds. */
const REST_MS = 15_000

/** After so many findings the rest may wait. */
const ENOUGH = 5

export interface Range {
  readonly seed: number
  /** Number of the first case. */
  readonly from: number
  readonly count: number
}

/** Runs cases of a kind, several at once. Throws with all that was found, and how to see it again. */
export async function runCases(kind: Kind, {seed, from, count}: Range, target: Target): Promise<void> {
  const name = (index: number): string => `npm run fuzz -- --seed ${seed} --case ${kind.name}:${index}`
  const found: string[] = []
  const underWay = new Set<number>()
  let next = from
  const lane = async (_: unknown, number: number): Promise<void> => {
    while (next < from + count && found.length < ENOUGH) {
      const index = next++
      underWay.add(index)
      const {text, run} = kind.make(new Random(seed, kind.name, index), target, {lane: number, index})
      await run().catch((error: unknown) => found.push(`${messageOf(error)}\n${name(index)}\n${text}`))
      underWay.delete(index)
    }
  }
  try {
    await underWatch(target, async () => Promise.all(Array.from({length: Math.min(kind.lanes, count)}, lane)))
  } catch (error) {
    found.push(`${messageOf(error)}\nwhile these were under way:\n${[...underWay].map(name).join('\n')}`)
  }
  if (found.length > 0) throw new Error(`${found.length} findings\n\n${found.join('\n\n')}`)
}

/** Does something while good calls are made; rejects when one is wrong, or when the run ends. */
async function underWatch({program, good, echo}: Target, work: () => Promise<unknown>): Promise<void> {
  const before = good.made
  const calls = good.start()
  const ended = program.exited.then(({code, signal}) => {
    throw new Error(`the run ended with ${String(code ?? signal)}: ${program.stderr.text.slice(-2000)}`)
  })
  try {
    await Promise.race([work(), calls.then(async () => new Promise(() => undefined)), ended])
  } finally {
    good.stop()
  }
  await Promise.race([soon(calls, () => 'a good call'), ended])
  if (good.made === before) throw new Error('no good call was made')
  if (echo.faults.length > 0) throw new Error(`the good app got what is no request: ${echo.faults.join('\n')}`)
}

/** What a run takes. */
export interface Look extends Usage {
  /** Of memory, by objects and buffers that cannot be collected. */
  readonly megabytesInUse: number
}

/** What the run takes when nothing is under way any more and nothing changes. */
export async function atRest({program: {pid}, inspector}: Target): Promise<Look> {
  const end = performance.now() + REST_MS
  let usage = await usageOf(pid)
  for (let least = usage.descriptors; performance.now() < end;) {
    await pause(4000)
    usage = await usageOf(pid)
    if (usage.descriptors >= least) break
    least = usage.descriptors
  }
  return {...usage, megabytesInUse: (await inspector.bytesInUse()) / 1e6}
}

/** Two looks side by side, and whether the second is worse. */
export const compared = (before: Look, after: Look): {readonly text: string; readonly isWorse: boolean} => ({
  text: `${before.megabytesInUse.toFixed(2)} → ${after.megabytesInUse.toFixed(2)} MB in use, PSS ${before.megabytes.toFixed(1)} → ${after.megabytes.toFixed(1)} MB, descriptors ${before.descriptors} → ${after.descriptors}, processes ${before.processes} → ${after.processes}`,
  isWorse:
    after.megabytesInUse > before.megabytesInUse + MOST_MORE_IN_USE_MB ||
    after.megabytes > before.megabytes + MOST_MORE_MB ||
    after.descriptors > before.descriptors + MOST_MORE_DESCRIPTORS ||
    after.processes > before.processes
})
