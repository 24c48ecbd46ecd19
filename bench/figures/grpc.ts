import {inRounds, type Figure, type Measure} from '../figure.ts'
import {grpcCounts, grpcLoad} from '../grpc-load.ts'
import {startNginx} from '../nginx.ts'
import {freePorts, grpcEnds, isInstalled, withRig} from '../tools.ts'

export const grpc: Figure = {
  name: 'grpc',
  title: 'gRPC between two apps',
  what: 'Unary calls by grpc-go at the sidecar of an app for another one: 32 streams of one connection, and the median with one stream. nginx has `grpc_pass`.',
  needs: ['go'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const [calleePort = 0] = await freePorts(1)
      const command = [await grpcEnds(), 'serve']
      await rig.template([
        {appID: 'caller', command: []},
        {appID: 'callee', appPort: calleePort, appProtocol: 'grpc', command, env: {EXPECT_CALLER: 'caller'}}
      ])
      const program = rig.pillion(['run', '-f', '.'])
      const {grpc: port} = await program.ports('caller')
      const peer = isInstalled('nginx') ? (await startNginx(rig, calleePort, {protocol: 'grpc'})).port : undefined
      let ownCalls = 0
      const round = async (at: number, length: number) => {
        const many = await grpcLoad({port: at, streams: 32, seconds: length})
        const single = await grpcLoad({port: at, streams: 1, seconds: length})
        if (at === port) ownCalls += many.requests + single.requests
        return {many: many.perSecond, p50: single.p50}
      }
      const both = async (length: number) =>
        [await round(port, length), peer === undefined ? undefined : await round(peer, length)] as const
      await both(1)
      const results = await inRounds(rounds, async () => both(seconds))
      const {calls: seen, lacking} = await grpcCounts(calleePort)
      if (seen - lacking < ownCalls) throw new Error(`${ownCalls - seen + lacking} calls lacked headers`)
      program.signal('SIGTERM')
      await program.exited
      const row = (name: Measure['name'], unit: '/s' | 'µs', key: 'many' | 'p50'): Measure => ({
        name,
        unit,
        ours: results.map(([ours]) => ours[key]),
        peer: results.flatMap(([, other]) => other?.[key] ?? []),
        peerName: 'nginx'
      })
      return [row('gRPC: 32 streams', '/s', 'many'), row('gRPC: p50', 'µs', 'p50')]
    })
}
