import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {grpcCounts, grpcLoad} from '../grpc-load.ts'
import type {Load} from '../load.ts'
import {startNginx} from '../nginx.ts'
import {freePorts, grpcEnds, isInstalled, withRig} from '../tools.ts'

const INVOKE_SERVICE = '/dapr.proto.runtime.v1.Dapr/InvokeService'

/** One kind of load, at one of the places that are compared. */
interface Case {
  readonly name: MeasureName
  readonly unit: Unit
  readonly connections: number
  readonly streams: number
  readonly valueOf: (load: Load) => number
  readonly peer: 'nginx' | 'direct' | 'proxy'
}

const rate = ({perSecond}: Load): number => perSecond
const CASES: readonly Case[] = [
  {name: 'gRPC: 32 streams', unit: '/s', connections: 1, streams: 32, valueOf: rate, peer: 'nginx'},
  {name: 'gRPC: 32 streams, direct', unit: '/s', connections: 1, streams: 32, valueOf: rate, peer: 'direct'},
  {name: 'gRPC: 32 connections', unit: '/s', connections: 32, streams: 1, valueOf: rate, peer: 'nginx'},
  {name: 'gRPC: latency', unit: 'µs', connections: 1, streams: 1, valueOf: ({p50}) => p50, peer: 'nginx'},
  {name: 'gRPC: InvokeService', unit: '/s', connections: 1, streams: 32, valueOf: rate, peer: 'proxy'}
]

/** Calls of gRPC from app to app: a stub through the proxy against nginx and against none; InvokeService against a stub. */
export const grpc: Figure = {
  name: 'grpc',
  needs: ['go'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const command = [await grpcEnds(), 'serve']
      const [calleePort = 0] = await freePorts(1)
      await rig.template([
        {appID: 'caller', command: []},
        {appID: 'callee', appPort: calleePort, appProtocol: 'grpc', command, env: {EXPECT_CALLER: 'caller'}}
      ])
      const program = rig.pillion(['run', '-f', '.'])
      const {grpc: port} = await program.ports('caller')
      const ports = {
        proxy: port,
        direct: calleePort,
        nginx: isInstalled('nginx') ? await startNginx(rig, calleePort, 'grpc') : 0
      }
      let ownCalls = 0
      const ours = async (each: Case, length: number): Promise<Load> => {
        const isInvoked = each.peer === 'proxy'
        const load = await grpcLoad({...each, port, seconds: length, ...(isInvoked && {method: INVOKE_SERVICE})})
        ownCalls += load.requests
        return load
      }
      const peerOf = async (each: Case, length: number): Promise<Load | undefined> => {
        if (ports[each.peer] === 0) return undefined
        const load = await grpcLoad({...each, port: ports[each.peer], seconds: length})
        if (each.peer === 'proxy') ownCalls += load.requests
        return load
      }
      const round = async (length: number) =>
        inRounds(CASES.length, async n => {
          const each = CASES[n] as Case
          return [await ours(each, length), await peerOf(each, length)] as const
        })
      await round(1)
      const results = await inRounds(rounds, async () => round(seconds))
      // what skips the contract cannot win
      const {calls, lacking} = await grpcCounts(calleePort)
      const whole = calls - lacking
      if (whole < ownCalls) throw new Error(`${(ownCalls - whole).toString()} calls lacked what a sidecar adds`)
      program.signal('SIGTERM')
      await program.exited
      return CASES.map(({name, unit, valueOf, peer}, n): Measure => {
        const loads = results.flatMap(all => all[n] ?? [])
        const of = (at: 0 | 1): number[] =>
          results.flatMap(all => {
            const load = all[n]?.[at]
            return load === undefined ? [] : [valueOf(load)]
          })
        return {name, unit, ours: of(0), peer: of(1), peerName: loads.includes(undefined) ? `${peer} missing` : peer}
      })
    })
}
