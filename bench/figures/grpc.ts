import {once} from 'node:events'
import net from 'node:net'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {grpcCounts, grpcLoad} from '../grpc-load.ts'
import {load, loadCounted, type Load} from '../load.ts'
import {startNginx} from '../nginx.ts'
import {cpuOf, echoServer, freePorts, grpcEnds, isInstalled, withRig} from '../tools.ts'
import {usageOf} from '../../test/rig/usage.ts'

const INVOKE_SERVICE = '/dapr.proto.runtime.v1.Dapr/InvokeService'

/** After so many calls of any kind the memory that keeps the latest ones is full: what comes later is that of gRPC. */
const RECORDED = 35_000

/** One kind of load, at one of the places that are compared. */
interface Case {
  readonly name: MeasureName
  /** The same by processor time, which does not depend on what else the machine does. */
  readonly cpuName?: MeasureName
  readonly unit: Unit
  readonly connections: number
  readonly streams: number
  readonly valueOf: (load: Load) => number
  readonly peer: 'nginx' | 'direct' | 'proxy' | 'HTTP'
}

const rate = ({perSecond}: Load): number => perSecond
const perSecond = {unit: '/s', valueOf: rate} as const
const STREAMS = {...perSecond, connections: 1, streams: 32}
const CASES: readonly Case[] = [
  {...STREAMS, name: 'gRPC: 32 streams', cpuName: 'gRPC: 32 streams, CPU', peer: 'nginx'},
  {...STREAMS, name: 'gRPC: 32 streams, direct', peer: 'direct'},
  {
    ...perSecond,
    name: 'gRPC: 32 connections',
    cpuName: 'gRPC: 32 connections, CPU',
    connections: 32,
    streams: 1,
    peer: 'nginx'
  },
  {name: 'gRPC: latency', unit: 'µs', connections: 1, streams: 1, valueOf: ({p50}) => p50, peer: 'nginx'},
  {...STREAMS, name: 'gRPC: InvokeService', peer: 'proxy'},
  {...STREAMS, name: 'gRPC: InvokeService, HTTP', peer: 'HTTP'}
]

/** A place that calls are sent to, and whose processor time counts; port 0: there is none. */
interface Place {
  readonly port: number
  readonly pid: number
}

interface Taken {
  readonly load: Load
  /** Calls in a second of its processor time. */
  readonly perCpuSecond: number
}

async function taken(pid: number, make: () => Promise<Load>): Promise<Taken> {
  const before = await cpuOf(pid)
  const made = await make()
  return {load: made, perCpuSecond: (1000 * made.requests) / ((await cpuOf(pid)) - before)}
}

/** Time from a connection, the first one, to the settings of HTTP/2, in ms. */
async function settingsAfter(port: number): Promise<number> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const from = performance.now()
  await once(socket, 'data')
  socket.destroy()
  return performance.now() - from
}

/** Calls of gRPC from app to app: a stub through the proxy against nginx and against none; InvokeService against a stub, and against HTTP. */
export const grpc: Figure = {
  name: 'grpc',
  needs: ['go', 'wrk'],
  measure: async ({rounds, seconds, calls}) =>
    withRig(async rig => {
      const command = [await grpcEnds(), 'serve']
      const [calleePort = 0, webPort = 0] = await freePorts(2)
      const env = {EXPECT_CALLER: 'caller'}
      await rig.template([
        {appID: 'caller', command: []},
        {appID: 'callee', appPort: calleePort, appProtocol: 'grpc', command, env},
        {appID: 'web', appPort: webPort, command: [await echoServer()], env}
      ])
      const program = rig.pillion(['run', '-f', '.'])
      const {grpc: port, http} = await program.ports('caller')
      const url = `http://127.0.0.1:${http}/v1.0/invoke/web/method/echo`
      await loadCounted({url, connections: 1}, RECORDED)
      const {megabytes} = await usageOf(program.pid)
      const settings = await settingsAfter(port)
      for (let left = calls; left > 0;)
        left -= (await grpcLoad({port, connections: 1, streams: 32, seconds: 1})).requests
      const more = (await usageOf(program.pid)).megabytes - megabytes
      const own = {port, pid: program.pid}
      const places: Readonly<Record<Exclude<Case['peer'], 'HTTP'>, Place>> = {
        proxy: own,
        direct: {port: calleePort, pid: 0},
        nginx: isInstalled('nginx') ? await startNginx(rig, calleePort, {protocol: 'grpc'}) : {port: 0, pid: 0}
      }
      let ownCalls = 0
      const ours = async (each: Case, length: number): Promise<Taken> => {
        const {peer} = each
        const options = {...each, port, seconds: length, id: peer === 'HTTP' ? 'web' : 'callee'}
        const isInvoked = peer === 'proxy' || peer === 'HTTP'
        const made = await taken(own.pid, async () =>
          grpcLoad({...options, ...(isInvoked && {method: INVOKE_SERVICE})})
        )
        if (peer !== 'HTTP') ownCalls += made.load.requests
        return made
      }
      const peerOf = async (each: Case, length: number): Promise<Taken | undefined> => {
        if (each.peer === 'HTTP')
          return taken(own.pid, async () => load({url, connections: each.streams, seconds: length}))
        const place = places[each.peer]
        if (place.port === 0) return undefined
        const made = await taken(place.pid, async () => grpcLoad({...each, port: place.port, seconds: length}))
        if (each.peer === 'proxy') ownCalls += made.load.requests
        return made
      }
      const round = async (length: number) =>
        inRounds(CASES.length, async n => {
          const each = CASES[n] as Case
          return [await ours(each, length), await peerOf(each, length)] as const
        })
      await round(1)
      const results = await inRounds(rounds, async () => round(seconds))
      // what skips the contract cannot win
      const {calls: seen, lacking} = await grpcCounts(calleePort)
      const whole = seen - lacking
      if (whole < ownCalls) throw new Error(`${ownCalls - whole} calls lacked what a sidecar adds`)
      program.signal('SIGTERM')
      await program.exited
      const rows = CASES.flatMap(({name, cpuName, unit, valueOf, peer}, n): Measure[] => {
        const of = (at: 0 | 1, value: (made: Taken) => number): number[] =>
          results.flatMap(all => {
            const made = all[n]?.[at]
            return made === undefined ? [] : [value(made)]
          })
        const row = (called: MeasureName, value: (made: Taken) => number): Measure => ({
          name: called,
          unit,
          ours: of(0, value),
          peer: of(1, value),
          peerName: peer
        })
        const first = row(name, made => valueOf(made.load))
        return cpuName === undefined ? [first] : [first, row(cpuName, made => made.perCpuSecond)]
      })
      const alone = {peer: [], peerName: ''}
      return [
        ...rows,
        {name: 'gRPC: settings', unit: 'ms', ours: [settings], ...alone},
        {name: 'gRPC: memory', unit: 'MB', ours: [more], ...alone}
      ]
    })
}
