import {setTimeout as pause} from 'node:timers/promises'
import {residentMegabytes, usageOf} from '../../test/rig/usage.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure} from '../figure.ts'
import {loadCounted} from '../load.ts'
import {startTen, writeTen} from '../ten.ts'
import {withRig} from '../tools.ts'

/** Long enough for an idle run to give back what the calls have left. */
const CALM_MS = 8000

interface Taken {
  /** Right after the last call, shared pages divided by those who share them. */
  readonly after: number
  /** A little later, where no other process of this Node would run. */
  readonly calm: number
}

/** Memory of a run with ten apps after many calls, with the recorder and without: all processes of ours, the apps' not. */
export const memory: Figure = {
  name: 'memory',
  needs: ['go', 'wrk'],
  measure: async ({rounds, calls}) =>
    withRig(async rig => {
      await writeTen(rig)
      const taken = await inRounds(
        Math.min(rounds, 3),
        async () => [await afterCalls(rig, calls), await afterCalls(rig, calls, ['--no-record'])] as const
      )
      const row = {unit: 'MB', peer: [], peerName: ''} as const
      return [
        {...row, name: 'memory', ours: taken.map(([{after}]) => after)},
        {...row, name: 'memory: calm', ours: taken.map(([{calm}]) => calm)},
        {...row, name: 'memory: calm, not recorded', ours: taken.map(([, {calm}]) => calm)}
      ]
    })
}

async function afterCalls(rig: Rig, calls: number, flags: readonly string[] = []): Promise<Taken> {
  const {program, urls} = await startTen(rig, flags)
  await Promise.all(urls.map(async url => loadCounted({url, connections: 4}, Math.ceil(calls / urls.length))))
  const {megabytes, apps} = await usageOf(program.pid)
  if (apps < 10) throw new Error(`only ${apps} processes of apps were found`)
  await pause(CALM_MS)
  const calm = await residentMegabytes(program.pid)
  program.signal('SIGTERM')
  await program.exited
  return {after: megabytes, calm}
}
