import {setTimeout as pause} from 'node:timers/promises'
import {residentMegabytes, usageOf} from '../../test/rig/usage.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure} from '../figure.ts'
import {loadCounted} from '../load.ts'
import {startTen, writeTen} from '../ten.ts'
import {withRig} from '../tools.ts'

/** Long enough for an idle run to give back what the calls have left. */
const CALM_MS = 10_000

interface Taken {
  /** Right after the last call, with its part of shared pages. */
  readonly after: number
  /** A little later, where no other process of this Node would run. */
  readonly calm: number
}

export const memory: Figure = {
  name: 'memory',
  title: 'Memory after calls',
  what: 'Memory of a run of ten apps after 100,000 calls, its own processes alone: right after the last call, and ten calm seconds later.',
  needs: ['go', 'wrk'],
  measure: async ({rounds, calls}) =>
    withRig(async rig => {
      await writeTen(rig)
      const taken = await inRounds(Math.min(rounds, 3), async () => afterCalls(rig, calls))
      const row = {unit: 'MB', peer: [], peerName: ''} as const
      return [
        {...row, name: 'memory', ours: taken.map(({after}) => after)},
        {...row, name: 'memory: calm', ours: taken.map(({calm}) => calm)}
      ]
    })
}

async function afterCalls(rig: Rig, calls: number): Promise<Taken> {
  const {program, urls} = await startTen(rig)
  await Promise.all(urls.map(async url => loadCounted({url, connections: 4}, Math.ceil(calls / urls.length))))
  const {megabytes, apps} = await usageOf(program.pid)
  if (apps < 10) throw new Error(`only ${apps} processes of apps were found`)
  await pause(CALM_MS)
  const calm = await residentMegabytes(program.pid)
  program.signal('SIGTERM')
  await program.exited
  return {after: megabytes, calm}
}
