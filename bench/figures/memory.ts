import {inRounds, type Figure} from '../figure.ts'
import {loadCounted} from '../load.ts'
import {usageOf} from '../../test/rig/usage.ts'
import {startTen, writeTen} from '../ten.ts'
import {withRig} from '../tools.ts'

/** Proportional memory of a run with ten apps after many calls: all processes of ours, the apps' not. */
export const memory: Figure = {
  name: 'memory',
  needs: ['go', 'wrk'],
  measure: async ({rounds, calls}) =>
    withRig(async rig => {
      await writeTen(rig)
      const ours = await inRounds(rounds, async () => {
        const {program, urls} = await startTen(rig)
        await Promise.all(urls.map(async url => loadCounted({url, connections: 4}, Math.ceil(calls / urls.length))))
        const {megabytes, apps} = await usageOf(program.pid)
        if (apps < 10) throw new Error(`only ${apps.toString()} processes of apps were found`)
        program.signal('SIGTERM')
        await program.exited
        return megabytes
      })
      return [{name: 'memory', unit: 'MB', ours, peer: [], peerName: ''}]
    })
}
