import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {usageOf} from '../../test/rig/usage.ts'
import {writeWorktrees} from '../../test/rig/worktrees.ts'
import {inRounds, type Figure, type MeasureName, type Unit} from '../figure.ts'
import {startTen, tenApps} from '../ten.ts'
import {withRig} from '../tools.ts'

const [FIRST, SECOND] = ['main', 'second'] as const

type What = 'started' | 'answered' | 'memory'
type Round = Readonly<Record<What, readonly [ours: number, peer: number]>>

/** A second copy of a template with ten apps that runs next to the first. Memory is what both take together, less what the first took before. */
export const copies: Figure = {
  name: 'copies',
  needs: ['go'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const apps = (await tenApps()).map(app => ({...app, appDirPath: '.'}))
      await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})}, [SECOND])
      const results = await inRounds(rounds, async () => round(rig))
      const row = (what: What, unit: Unit) => ({
        name: `copies: ${what}` as MeasureName,
        unit,
        ours: results.map(({[what]: [ours]}) => ours),
        peer: results.map(({[what]: [, peer]}) => peer),
        peerName: 'the first copy'
      })
      return [row('started', 'ms'), row('answered', 'ms'), row('memory', 'MB')]
    })
}

async function round(rig: Rig): Promise<Round> {
  const first = await startTen(rig, [], FIRST)
  const alone = await memoryOf(first.program)
  const second = await startTen(rig, [], SECOND)
  const both = await memoryOf(first.program, second.program)
  for (const program of [second.program, first.program]) {
    program.signal('SIGTERM')
    await program.exited
  }
  return {
    started: [second.startedMs, first.startedMs],
    answered: [second.answeredMs, first.answeredMs],
    memory: [both - alone, alone]
  }
}

async function memoryOf(...programs: readonly Program[]): Promise<number> {
  const usages = await Promise.all(programs.map(async ({pid}) => usageOf(pid)))
  return usages.reduce((sum, {megabytes}) => sum + megabytes, 0)
}
