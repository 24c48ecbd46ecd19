import type {Figure} from '../figure.ts'
import {inRounds} from '../figure.ts'
import {load} from '../load.ts'
import {managerOf} from '../../test/rig/manager.ts'
import {echoServer, freePorts, withRig} from '../tools.ts'

/** The median time of a call at the manager's sidecar, to a service without and with a shadow, beside one at a Dapr sidecar. */
export const manager: Figure = {
  name: 'manager',
  needs: ['go', 'wrk'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const server = await echoServer()
      const [alonePort, mainPort, shadowPort] = await freePorts(3)
      await rig.template([
        {appID: 'alone', appPort: alonePort, command: [server]},
        {appID: 'pair', version: '1.0.0', appPort: mainPort, command: [server]},
        {appID: 'pair', version: '2.0.0', appPort: shadowPort, command: [server]}
      ])
      const program = rig.pillion(['run', '-f', '.'])
      const [{http}, sidecar] = await Promise.all([program.ports('alone'), managerOf(program)])
      const urls = [
        `http://127.0.0.1:${http}/v1.0/invoke/alone/method/echo`,
        `${sidecar}/services/alone/echo`,
        `${sidecar}/services/pair/echo`
      ]
      const round = async (length: number): Promise<readonly number[]> =>
        inRounds(urls.length, async n => (await load({url: urls[n] ?? '', connections: 1, seconds: length})).p50)
      await round(1)
      const results = await inRounds(rounds, async () => round(seconds))
      program.signal('SIGTERM')
      await program.exited
      const column = (n: number): readonly number[] => results.map(medians => medians[n] ?? Number.NaN)
      const rows = [
        ["manager's port", 1],
        ["manager's port, with a shadow", 2]
      ] as const
      return rows.map(([name, n]) => ({name, unit: 'µs', ours: column(n), peer: column(0), peerName: 'Dapr sidecar'}))
    })
}
