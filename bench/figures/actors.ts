import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {cpuOf, residentMegabytes} from '../../test/rig/usage.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {load, loadCounted, type LoadOptions} from '../load.ts'
import {actorServer, freePorts, withRig} from '../tools.ts'

const REMINDERS = 2000
const ACTIVE = 100_000
const BATCH = 10_000
/** They are set first; then all are due at once. */
const LEAD_MS = 8000
/** Long enough for an idle run to give back what the load has left. */
const CALM_MS = 8000
const CONFIG = '{"entities":["Counter"]}'
const SAVE = '[{"operation":"upsert","request":{"key":"value","value":{"n":{n}}}}]'

/** daprd 1.18.2 with placement, scheduler and Redis on a machine with two cores, taken once: it takes four programs and etcd. */
const RECORDED: Partial<Readonly<Record<MeasureName, number>>> = {
  'actors: transactions, CPU': 110,
  'actors: 2,000 reminders, late': 1400
}

type Numbers = readonly (readonly [name: MeasureName, unit: Unit, value: number, plain?: number])[]

/** What calls of actors cost the run beside plain invocations of the same app in the same run, and what actors take. */
export const actors: Figure = {
  name: 'actors',
  needs: ['go', 'wrk'],
  measure: async ({rounds, seconds, calls}) =>
    withRig(async rig => {
      const without = await started(rig, '{}')
      const bare = await residentMegabytes(without.program.pid)
      await ended(without)
      const run = await started(rig, CONFIG)
      const idle = (await residentMegabytes(run.program.pid)) - bare
      await numbersOf(run, 1) // warm
      const results = await inRounds(rounds, async () => numbersOf(run, seconds))
      await loadCounted({url: `${run.host}/actors/Counter/1/method/echo`, connections: 32}, calls)
      await pause(CALM_MS)
      const after = (await residentMegabytes(run.program.pid)) - bare
      await ended(run)
      const fresh = await started(rig, CONFIG)
      const active = await withActive(rig, fresh)
      await ended(fresh)
      const row = {unit: 'MB', peer: [], peerName: ''} as const
      return [
        ...measuresOf(results),
        {...row, name: 'actors: memory, idle', ours: [idle]},
        {...row, name: 'actors: memory, after', ours: [after]},
        {...row, name: 'actors: memory, 100,000 active', ours: [active]}
      ]
    })
}

interface Run {
  readonly program: Program
  /** `http://127.0.0.1:PORT/v1.0` of the app that hosts the actors, and of another one. */
  readonly host: string
  readonly other: string
  readonly appPort: number
}

const apiAt = (port: number): string => `http://127.0.0.1:${port}/v1.0`

async function started(rig: Rig, config: string): Promise<Run> {
  const [appPort = 0] = await freePorts(1)
  await rig.template([
    {appID: 'host', appPort, appDirPath: '.', command: [await actorServer()], env: {CONFIG: config}},
    {appID: 'other', appDirPath: '.', command: ['sleep', '10000']}
  ])
  const program = rig.pillion(['run', '-f', '.'])
  const [host, other] = [await program.ports('host'), await program.ports('other')]
  const run = {program, host: apiAt(host.http), other: apiAt(other.http), appPort}
  await fetch(`${run.other}/invoke/host/method/echo`, {method: 'POST', body: 'once'})
  return run
}

async function ended({program}: Run): Promise<void> {
  program.signal('SIGTERM')
  await program.exited
}

async function numbersOf(run: Run, seconds: number): Promise<Numbers> {
  const costed = async (api: string, path: string, more: Partial<LoadOptions> = {}) => {
    const from = await cpuOf(run.program.pid)
    const told = await load({url: `${api}/${path}`, connections: 32, seconds, ...more})
    return {...told, cpu: (1000 * ((await cpuOf(run.program.pid)) - from)) / told.requests}
  }
  const {host, other} = run
  const one = {connections: 1}
  const plain = await costed(other, 'invoke/host/method/echo')
  const many = await costed(host, 'actors/Counter/{n}/method/echo', {keys: 1000})
  const single = await costed(host, 'actors/Counter/1/method/echo')
  const across = await costed(other, 'actors/Counter/{n}/method/echo', {keys: 1000})
  const alone = await costed(other, 'invoke/host/method/echo', one)
  const calm = await costed(host, 'actors/Counter/{n}/method/echo', {...one, keys: 1000})
  const saved = await costed(host, 'actors/Counter/{n}/state', {keys: 1000, body: SAVE})
  return [
    ['actors: 1,000 ids, CPU', 'µs', many.cpu, plain.cpu],
    ['actors: one id, CPU', 'µs', single.cpu, plain.cpu],
    ['actors: other sidecar, CPU', 'µs', across.cpu, plain.cpu],
    ['actors: p50', 'µs', calm.p50, alone.p50],
    ['actors: transactions, CPU', 'µs', saved.cpu],
    ['actors: 2,000 reminders, late', 'ms', await lateOf(run)]
  ]
}

interface Counts {
  readonly fired: number
  readonly last: number
}

const countsOf = async ({appPort}: Run): Promise<Counts> =>
  (await (await fetch(`http://127.0.0.1:${appPort}/counts`)).json()) as Counts

/** How late the last of many reminders comes that are due at once, in ms. */
async function lateOf(run: Run): Promise<number> {
  const before = (await countsOf(run)).fired
  const due = Math.ceil((Date.now() + LEAD_MS) / 1000) * 1000
  const body = JSON.stringify({dueTime: new Date(due).toISOString()})
  for (let at = 0; at < REMINDERS; at += 50)
    await Promise.all(
      Array.from({length: 50}, async (_, index) => {
        const url = `${run.host}/actors/Counter/${at + index}/reminders/wake`
        const {status} = await fetch(url, {method: 'POST', body})
        if (status !== 204) throw new Error(`a reminder was not set: ${status}`)
      })
    )
  if (Date.now() > due) throw new Error('the reminders were not set in time')
  for (;;) {
    const {fired, last} = await countsOf(run)
    if (fired - before >= REMINDERS) return last - due
    if (Date.now() > due + 60_000) throw new Error(`${fired - before} of ${REMINDERS} reminders have come`)
    await pause(50)
  }
}

/** What so many active actors take, in MB. */
async function withActive(rig: Rig, run: Run): Promise<number> {
  const url = (batch: number): string => `${run.host}/actors/Counter/${batch}-{n}/method/echo`
  await load({url: url(0), connections: 32, seconds: 2, keys: 1, calls: 5000})
  await pause(CALM_MS)
  const before = await residentMegabytes(run.program.pid)
  for (let batch = 1; batch <= ACTIVE / BATCH; batch++)
    for (let active = 0; active < batch * BATCH;) {
      await load({url: url(batch), connections: 32, seconds: 2, keys: BATCH, calls: BATCH + 100})
      const {stdout} = await rig.run(['actors', '-o', 'json'])
      const [type] = JSON.parse(stdout) as readonly {readonly active: number}[]
      active = type?.active ?? 0
    }
  await pause(CALM_MS)
  return (await residentMegabytes(run.program.pid)) - before
}

function measuresOf(results: readonly Numbers[]): readonly Measure[] {
  const [first = []] = results
  return first.map(([name, unit, , plain], index) => {
    const recorded = RECORDED[name]
    const ours = results.map(numbers => numbers[index]?.[2] ?? Number.NaN)
    if (plain !== undefined)
      return {name, unit, ours, peer: results.map(numbers => numbers[index]?.[3] ?? Number.NaN), peerName: 'plain call'}
    return recorded === undefined
      ? {name, unit, ours, peer: [], peerName: ''}
      : {name, unit, ours, peer: ours.map(() => recorded), peerName: 'daprd, recorded'}
  })
}
