import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {usageOf} from '../../test/rig/usage.ts'
import {writeWorktrees} from '../../test/rig/worktrees.ts'
import {inRounds, type Figure, type MeasureName, type Unit} from '../figure.ts'
import {startTen, tenApps} from '../ten.ts'
import {withRig} from '../tools.ts'

const [FIRST, SECOND, THIRD] = ['main', 'second', 'third'] as const

type What = 'started' | 'answered' | 'memory'
type Round = Readonly<Record<What, readonly [ours: number, peer: number]>> & {readonly borrowing: number}

/**
 * A second copy of a template with ten apps that runs next to the first, and a third one that runs one app and borrows the rest. Memory
 * is what all of ours take together, less what they took before.
 */
export const copies: Figure = {
  name: 'copies',
  needs: ['go'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const apps = (await tenApps()).map(app => ({...app, appDirPath: '.'}))
      await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})}, [SECOND, THIRD])
      const results = await inRounds(rounds, async () => round(rig))
      const row = (what: What, unit: Unit) => ({
        name: `copies: ${what}` as MeasureName,
        unit,
        ours: results.map(({[what]: [ours]}) => ours),
        peer: results.map(({[what]: [, peer]}) => peer),
        peerName: 'the first copy'
      })
      const memory = row('memory', 'MB')
      const borrowing = {
        ...memory,
        name: 'copies: memory, borrowing' as const,
        ours: results.map(each => each.borrowing)
      }
      return [row('started', 'ms'), row('answered', 'ms'), memory, borrowing]
    })
}

async function round(rig: Rig): Promise<Round> {
  const first = await startTen(rig, [], FIRST)
  const alone = await memoryOf(first.program)
  const second = await startTen(rig, [], SECOND)
  const both = await memoryOf(first.program, second.program)
  const third = rig.pillion(['up', '--only', 'app-0', '--rest', FIRST], {folder: THIRD})
  await third.ports('app-0')
  const all = await memoryOf(first.program, second.program, third)
  for (const program of [third, second.program, first.program]) {
    program.signal('SIGTERM')
    await program.exited
  }
  return {
    started: [second.startedMs, first.startedMs],
    answered: [second.answeredMs, first.answeredMs],
    memory: [both - alone, alone],
    borrowing: all - both
  }
}

async function memoryOf(...programs: readonly Program[]): Promise<number> {
  const usages = await Promise.all(programs.map(async ({pid}) => usageOf(pid)))
  return usages.reduce((sum, {megabytes}) => sum + megabytes, 0)
}
