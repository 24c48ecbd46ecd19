import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {daprForJavascript, installed} from '../../test/sdks/installed.ts'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {cpuOf, residentMegabytes} from '../../test/rig/usage.ts'
import {median} from '../table.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {freePorts, withRig} from '../tools.ts'
import {waitingTimers} from '../waiting-timers.ts'

const WORKER = join(import.meta.dirname, '../../test/fixtures/sdks/workflow-load.mjs')
const TIMERS = 100_000
/** Long enough for an idle run to give back what the workflows have left. */
const CALM_MS = 8000

/** daprd 1.18.2 with placement, scheduler and Redis on a machine with two cores, taken once: it takes four programs and etcd. */
const RECORDED: Partial<Readonly<Record<MeasureName, number>>> = {
  'workflows: one activity, CPU': 4.3,
  'workflows: one activity': 203,
  'workflows: three activities, CPU': 10.2,
  'workflows: three activities': 72,
  'workflows: 100 activities in sequence': 100,
  'workflows: p50': 14,
  'workflows: p90': 21
}

type Numbers = readonly (readonly [name: MeasureName, unit: Unit, value: number])[]

/** What workflows cost the run, and how fast they are: one worker of Dapr's SDK for JavaScript, which is its own client. */
export const workflows: Figure = {
  name: 'workflows',
  needs: ['npm'],
  measure: async ({rounds, calls}) =>
    withRig(async rig => {
      const sdk = await sdkFolder()
      const bare = await started(rig, undefined)
      const idleMegabytes = await residentMegabytes(bare.program.pid)
      await ended(bare.program)
      const run = await started(rig, sdk)
      const idle = await residentMegabytes(run.program.pid)
      await asked(run, 'one', 200, 8) // warm
      const results = await inRounds(rounds, async () => numbersOf(run))
      await asked(run, 'one', Math.ceil(calls / 10), 64)
      await pause(CALM_MS)
      const after = await residentMegabytes(run.program.pid)
      await ended(run.program)
      const timers = await withTimers(sdk)
      const row = {peer: [], peerName: ''} as const
      return [
        ...measuresOf(results),
        {...row, name: 'workflows: memory, idle', unit: 'MB', ours: [idle - idleMegabytes]},
        {...row, name: 'workflows: memory, after 10,000', unit: 'MB', ours: [after - idleMegabytes]},
        {...row, name: 'workflows: 100,000 timers, memory', unit: 'MB', ours: [timers.megabytes - idleMegabytes]},
        {...row, name: 'workflows: 100,000 timers, start', unit: 'ms', ours: [timers.startMs]}
      ]
    })
}

interface Run {
  readonly program: Program
  readonly url: string
}

const fail = (text: string): never => {
  throw new Error(text)
}

async function sdkFolder(): Promise<string> {
  const folder = await installed({pass: fail}, daprForJavascript('3.18.0'))
  return folder ?? fail('the SDK cannot be had')
}

/** `sdk`: undefined: an app that has no workflows. */
async function started(rig: Rig, sdk: string | undefined): Promise<Run> {
  const [appPort = 0] = await freePorts(1)
  const command = [
    process.execPath,
    sdk === undefined ? '-e' : WORKER,
    ...(sdk === undefined ? [idleServer(appPort)] : [])
  ]
  const env = {SDK_FOLDER: sdk ?? '', APP_PORT: appPort.toString()}
  await rig.template([{appID: 'shop', appPort, command, env}])
  const program = rig.pillion(['run', '-f', '.'])
  const {http} = await program.ports('shop')
  // answers when the app listens
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/`)
  return {program, url: `http://127.0.0.1:${appPort}/`}
}

const idleServer = (port: number): string =>
  `require('node:http').createServer((_, response) => response.end()).listen(${port}, '127.0.0.1')`

async function ended(program: Program): Promise<void> {
  program.signal('SIGTERM')
  await program.exited
}

interface Told {
  readonly ms: number
  readonly workerCpuMs: number
  readonly p50: number
  readonly p90: number
}

async function asked({url}: Run, kind: string, count: number, atOnce: number): Promise<Told> {
  const query = new URLSearchParams({kind, count: String(count), atOnce: String(atOnce)}).toString()
  const response = await fetch(`${url}?${query}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return JSON.parse(text) as Told
}

async function numbersOf(run: Run): Promise<Numbers> {
  const costed = async (kind: string, count: number, atOnce: number) => {
    const from = await cpuOf(run.program.pid)
    const told = await asked(run, kind, count, atOnce)
    return {cpu: ((await cpuOf(run.program.pid)) - from) / count, perSecond: (1000 * count) / told.ms, ...told}
  }
  const one = await costed('one', 1000, 64)
  const chain = await costed('chain', 400, 32)
  const sequence = await asked(run, 'sequence', 1, 1)
  const alone = await asked(run, 'one', 200, 1)
  return [
    ['workflows: one activity, CPU', 'ms', one.cpu],
    ['workflows: one activity', '/s', one.perSecond],
    ['workflows: one activity, core of the worker', '%', share(one)],
    ['workflows: three activities, CPU', 'ms', chain.cpu],
    ['workflows: three activities', '/s', chain.perSecond],
    ['workflows: three activities, core of the worker', '%', share(chain)],
    ['workflows: 100 activities in sequence', '/s', 100_000 / sequence.ms],
    ['workflows: 100 activities in sequence, core of the worker', '%', share(sequence)],
    ['workflows: p50', 'ms', alone.p50],
    ['workflows: p90', 'ms', alone.p90]
  ]
}

const share = ({workerCpuMs, ms}: Told): number => (100 * workerCpuMs) / ms

/** The worker runs on one core: from this share of it on no run could make it faster by much. */
const BUSY = 80

/** Of a rate: its worker is busy with it. */
function boundOf(name: MeasureName, results: readonly Numbers[]): {readonly bound?: string} {
  const shares = results.flatMap(numbers =>
    numbers.filter(([other]) => other === `${name}, core of the worker`).map(([, , percent]) => percent)
  )
  const percent = median(shares)
  return percent >= BUSY ? {bound: `the worker takes ${Math.round(percent)} % of a core`} : {}
}

function measuresOf(results: readonly Numbers[]): readonly Measure[] {
  const [first = []] = results
  return first.map(([name, unit], index) => {
    const recorded = RECORDED[name]
    const ours = results.map(numbers => numbers[index]?.[2] ?? Number.NaN)
    return recorded === undefined
      ? {name, unit, ours, peer: [], peerName: ''}
      : {name, unit, ours, peer: ours.map(() => recorded), peerName: 'daprd, recorded', ...boundOf(name, results)}
  })
}

/** A start that finds many timers: from the start of the run until the first workflow is done, and what they take. */
async function withTimers(sdk: string): Promise<{readonly startMs: number; readonly megabytes: number}> {
  return withRig(async rig => {
    const plain = await firstTurn(rig, sdk)
    await ended(plain.run.program)
    await waitingTimers(rig, TIMERS)
    const {run, ms} = await firstTurn(rig, sdk)
    const megabytes = await residentMegabytes(run.program.pid)
    await ended(run.program)
    return {startMs: ms - plain.ms, megabytes}
  })
}

async function firstTurn(rig: Rig, sdk: string): Promise<{readonly run: Run; readonly ms: number}> {
  const from = performance.now()
  const run = await started(rig, sdk)
  await asked(run, 'one', 1, 1)
  return {run, ms: performance.now() - from}
}
