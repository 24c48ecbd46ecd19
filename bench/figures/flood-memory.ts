import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {usageOf} from '../../test/rig/usage.ts'
import {inRounds, type Figure} from '../figure.ts'
import {lineWriter, ownNode, withRig} from '../tools.ts'

const BYTES_A_LINE = 100
/** Long enough for what is given back a little later. */
const CALM_MS = 10_000

/** Proportional memory of a run whose app has written two million lines at full speed and is silent now, beside one that was always silent. */
export const floodMemory: Figure = {
  name: 'flood-memory',
  needs: ['cc'],
  measure: async ({rounds, flood}) => {
    const both = await inRounds(
      Math.min(rounds, 3),
      async () => [await memoryAfter(flood), await memoryAfter(0)] as const
    )
    const [ours, peer] = [both.map(([after]) => after), both.map(([, silent]) => silent)]
    return [{name: 'memory: after a flood', unit: 'MB', ours, peer, peerName: 'silent'}]
  }
}

async function memoryAfter(lines: number): Promise<number> {
  return withRig(async rig => {
    const write = `${await lineWriter()} ${lines} ${BYTES_A_LINE} 10000 begin`
    const written = join(rig.folder, 'written')
    const command = ['sh', '-c', `${lines > 0 ? `${write}; ` : ''}touch ${written}; exec sleep 1000`]
    await rig.template([{appID: 'writer', command}])
    const program = (await ownNode(rig))(rig.program)
    const run = rig.start(['sh', '-c', 'exec "$@" > /dev/null', 'sh', ...program, 'run', '-f', '.'])
    while (!existsSync(written)) {
      if (run.hasExited) throw new Error(run.report())
      await pause(100)
    }
    await pause(CALM_MS)
    const {megabytes} = await usageOf(run.pid)
    run.signal('SIGTERM')
    await run.exited
    return megabytes
  })
}
