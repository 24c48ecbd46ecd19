import {inRounds, type Figure} from '../figure.ts'
import {startTen, writeTen} from '../ten.ts'
import {withRig} from '../tools.ts'

/** Ten compiled servers: until all are said to have started, and from there until all have answered through their sidecars. */
export const start: Figure = {
  name: 'start',
  needs: ['go'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      await writeTen(rig)
      const results = await inRounds(rounds + 1, async () => {
        const ten = await startTen(rig)
        ten.program.signal('SIGTERM')
        await ten.program.exited
        return ten
      })
      const [, ...counted] = results // the first one warms the disk's cache and our own code
      const none = {unit: 'ms', peer: [], peerName: ''} as const
      return [
        {...none, name: 'start: all started', ours: counted.map(({startedMs}) => startedMs)},
        {...none, name: 'start: all answered', ours: counted.map(({answeredMs}) => answeredMs)}
      ]
    })
}
