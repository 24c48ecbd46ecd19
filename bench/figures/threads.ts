import {inRounds, type Figure, type Measure} from '../figure.ts'
import {load} from '../load.ts'
import {startNginx} from '../nginx.ts'
import {startPair} from '../pair.ts'
import {cpuOf, withRig} from '../tools.ts'

const CONNECTIONS = [4, 8, 32] as const
/** Processor time is told for these. */
const FULL = 32

type Lane = 'ours' | 'nginx' | 'two workers'

/** Calls a second, by lane and connections. */
type Speeds = ReadonlyMap<string, number>

interface Round {
  readonly speeds: Speeds
  /** Of one core, in percent. */
  readonly busy: number
}

const key = (lane: Lane, connections: number): string => `${lane} ${connections}`

/**
 * What a second thread could bring: calls through one nginx with one worker and with two. Where two are no faster, the load
 * and the apps already use the other cores.
 */
export const threads: Figure = {
  name: 'threads',
  needs: ['go', 'wrk', 'nginx'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const {program, url, calleePort} = await startPair(rig)
      const one = await startNginx(rig, calleePort)
      const two = await startNginx(rig, calleePort, {workers: 2})
      const urls = new Map<Lane, string>([
        ['ours', url],
        ['nginx', `http://127.0.0.1:${one.port}/plain`],
        ['two workers', `http://127.0.0.1:${two.port}/plain`]
      ])
      const round = async (length: number): Promise<Round> => {
        const speeds = new Map<string, number>()
        let busy = 0
        for (const connections of CONNECTIONS) {
          for (const [lane, at] of urls) {
            const before = await cpuOf(program.pid)
            const {perSecond, requests} = await load({url: at, connections, seconds: length})
            speeds.set(key(lane, connections), perSecond)
            const tookMs = (1000 * requests) / perSecond
            if (lane === 'ours' && connections === FULL) busy = (100 * ((await cpuOf(program.pid)) - before)) / tookMs
          }
        }
        return {speeds, busy}
      }
      await round(1)
      const taken = await inRounds(rounds, async () => round(seconds))
      program.signal('SIGTERM')
      await program.exited
      return [...rowsOf(taken), {name: BUSY, unit: '%', ours: taken.map(({busy}) => busy), peer: [], peerName: ''}]
    })
}

const BUSY = 'threads: busy, 32 connections'

function rowsOf(taken: readonly Round[]): readonly Measure[] {
  return CONNECTIONS.flatMap(connections => {
    const column = (lane: Lane): readonly number[] =>
      taken.flatMap(({speeds}) => speeds.get(key(lane, connections)) ?? [])
    const row = {name: `threads: ${connections} connections`, unit: '/s', ours: column('ours')} as const
    return (['nginx', 'two workers'] as const).map(lane => ({...row, peer: column(lane), peerName: lane}))
  })
}
