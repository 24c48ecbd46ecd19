import {inRounds, type Figure} from '../figure.ts'
import {startTen, writeTen} from '../ten.ts'
import {withRig} from '../tools.ts'

/** `stop -f .` of ten compiled servers, from its spawn until it has returned and the run is gone. */
export const stop: Figure = {
  name: 'stop',
  needs: ['go'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      await writeTen(rig)
      const ours = await inRounds(rounds, async () => {
        const {program} = await startTen(rig)
        const begin = performance.now()
        const [{code}] = await Promise.all([rig.run(['stop', '-f', '.']), program.exited])
        const end = performance.now()
        if (code !== 0) throw new Error(`stop ended with ${String(code)}`)
        return end - begin
      })
      return [{name: 'stop', unit: 'ms', ours, peer: [], peerName: ''}]
    })
}
