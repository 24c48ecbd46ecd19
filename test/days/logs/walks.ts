import {readdirSync} from 'node:fs'
import {Random} from '../../fuzz/random.ts'
import type {WalkKind, WalkStep} from '../walks.ts'
import {LoggedRun} from './house.ts'

const KINDS: Readonly<Record<string, (run: LoggedRun, random: Random) => unknown>> = {
  write: (run, random) => run.write(random, 0),
  'write more': (run, random) => run.write(random, 200),
  'write long': (run, random) => run.write(random, 120_000),
  'write huge': (run, random) => random.oneIn(8) && run.write(random, 1_500_000),
  restart: (run, random) => run.restart(random),
  edit: (run, random) => random.oneIn(4) && !run.isOpening && run.edit(random),
  pass: (run, random) => run.pass(random.pick([5, 100, 900, 6000])),
  jump: (run, random) => run.jump(random),
  disk: (run, random) => run.disk(random),
  touch: (run, random) => random.oneIn(3) && run.touch(random),
  read: async (run, random) => run.read(random),
  page: async (run, random) => run.page(random),
  'go on': async (run, random) => run.goOn(random),
  second: async (run, random) => random.oneIn(3) && run.second(random),
  change: (run, random) => run.change(random),
  rest: async run => run.rest()
}

const SIZES = [0, 0, 4000, 100_000, 500_000]

const descriptors = (): number => readdirSync('/proc/self/fd').length

export async function walkLogs(
  seed: number,
  steps: readonly WalkStep[],
  tally?: Map<string, number>
): Promise<readonly string[]> {
  const before = descriptors()
  const run = new LoggedRun(SIZES[seed % SIZES.length] ?? 0)
  const outcry = (error: unknown): unknown =>
    run.faults.push(`nobody handles: ${error instanceof Error ? error.stack : String(error)}`)
  process.on('unhandledRejection', outcry)
  try {
    await run.open()
    for (const {kind, a, b, isHurried} of steps) {
      await KINDS[kind]?.(run, new Random(kind, a, b))
      tally?.set(kind, (tally.get(kind) ?? 0) + 1)
      if (!isHurried) await run.settle()
      if (run.faults.length > 0) break
    }
    if (run.faults.length === 0) await run.rest()
    if (run.faults.length === 0) {
      await run.close()
      for (let n = 0; n < 2000 && descriptors() > before; n++) await new Promise(setImmediate)
      if (descriptors() > before) run.faults.push(`${descriptors() - before} descriptors are left`)
    }
  } finally {
    run.free()
    process.off('unhandledRejection', outcry)
  }
  return run.faults
}

export const LOGS: WalkKind = {
  flag: 'logs',
  kinds: KINDS,
  invented: (seed, count) => {
    const random = new Random('logs', seed)
    return Array.from({length: count}, () => ({
      kind: random.pick(Object.keys(KINDS)),
      a: random.below(1000),
      b: random.below(1000),
      isHurried: random.oneIn(3)
    }))
  },
  walk: async (seed, steps, tally) => ({faults: await walkLogs(seed, steps, tally)}),
  sortOf: ([fault = '']) => fault.replace(/ \(.*/s, '').replaceAll(/\w*\d+/g, '_')
}
