import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import {daprForJavascript, installed} from '../../test/sdks/installed.ts'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {cpuOf, residentMegabytes} from '../../test/rig/usage.ts'
import {daprForWorkflows} from '../dapr-workflows.ts'
import {median} from '../table.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {freePorts, withRig} from '../tools.ts'
import {waitingTimers} from '../waiting-timers.ts'

const WORKER = join(import.meta.dirname, '../../test/fixtures/sdks/workflow-load.mjs')
const FIRST_TURN = join(import.meta.dirname, '../first-turn.ts')
const TIMERS = 100_000
/** Long enough for an idle run to give back what the workflows have left. */
const CALM_MS = 8000

/**
 * daprd 1.18.2 with placement, scheduler and Redis, taken once on another machine with two cores: for machines that do not have all four.
 * Rates and times say little beside ours of this machine.
 */
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

/**
 * What workflows cost the run, and how fast they are: one worker of Dapr's SDK for JavaScript, which is its own client. Dapr's programs do the
 * same in turn, if they are here.
 */
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
      const dapr = await daprWithWorker(rig, sdk)
      for (const each of [run, ...(dapr === undefined ? [] : [dapr])]) await asked(each, 'one', 200, 8) // warm
      const results = await inRounds(rounds, async () => ({
        ours: await numbersOf(run),
        peer: dapr && (await numbersOf(dapr))
      }))
      await dapr?.end()
      await asked(run, 'one', Math.ceil(calls / 10), 64)
      await pause(CALM_MS)
      const after = await residentMegabytes(run.program.pid)
      await ended(run.program)
      const timers = await withTimers(sdk)
      const row = {peer: [], peerName: ''} as const
      return [
        ...measuresOf(
          results.map(({ours}) => ours),
          results.flatMap(({peer}) => (peer === undefined ? [] : [peer]))
        ),
        {...row, name: 'workflows: memory, idle', unit: 'MB', ours: [idle - idleMegabytes]},
        {...row, name: 'workflows: memory, after 10,000', unit: 'MB', ours: [after - idleMegabytes]},
        {...row, name: 'workflows: 100,000 timers, memory', unit: 'MB', ours: [timers.megabytes - idleMegabytes]},
        {...row, name: 'workflows: 100,000 timers, start', unit: 'ms', ours: timers.startMs}
      ]
    })
}

/** A worker, and what does its workflows. */
interface Loaded {
  readonly url: string
  /** Processor time of all but the worker so far, in ms. */
  readonly cpuMs: () => Promise<number>
}

interface Run extends Loaded {
  readonly program: Program
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
  return {program, url: `http://127.0.0.1:${appPort}/`, cpuMs: async () => cpuOf(program.pid)}
}

/** The same worker at Dapr's own programs; undefined: they are not all here. */
async function daprWithWorker(
  rig: Rig,
  sdk: string
): Promise<(Loaded & {readonly end: () => Promise<void>}) | undefined> {
  const dapr = await daprForWorkflows(rig)
  if (dapr === undefined) return undefined
  const [appPort = 0] = await freePorts(1)
  const env = {SDK_FOLDER: sdk, APP_PORT: appPort.toString(), DAPR_GRPC_PORT: dapr.grpcPort.toString()}
  const worker = rig.start([process.execPath, WORKER], {env})
  const url = `http://127.0.0.1:${appPort}/`
  while ((await fetch(url).catch(() => undefined)) === undefined) await pause(100)
  const end = async (): Promise<void> => {
    await ended(worker)
    await dapr.end()
  }
  return {url, cpuMs: dapr.cpuMs, end}
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

async function asked({url}: Loaded, kind: string, count: number, atOnce: number): Promise<Told> {
  const query = new URLSearchParams({kind, count: String(count), atOnce: String(atOnce)}).toString()
  const response = await fetch(`${url}?${query}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return JSON.parse(text) as Told
}

async function numbersOf(run: Loaded): Promise<Numbers> {
  const costed = async (kind: string, count: number, atOnce: number) => {
    const from = await run.cpuMs()
    const told = await asked(run, kind, count, atOnce)
    return {cpu: ((await run.cpuMs()) - from) / count, perSecond: (1000 * count) / told.ms, ...told}
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

function measuresOf(results: readonly Numbers[], peers: readonly Numbers[]): readonly Measure[] {
  const [first = []] = results
  return first.map(([name, unit], index) => {
    const recorded = RECORDED[name]
    const of = (all: readonly Numbers[]): readonly number[] => all.map(numbers => numbers[index]?.[2] ?? Number.NaN)
    const ours = of(results)
    if (recorded === undefined) return {name, unit, ours, peer: [], peerName: ''}
    const peer =
      peers.length > 0
        ? {peer: of(peers), peerName: 'daprd'}
        : {peer: ours.map(() => recorded), peerName: 'daprd, recorded'}
    return {name, unit, ours, ...peer, ...boundOf(name, results)}
  })
}

/** A file with many timers: how long a process takes from there to the first turn of a workflow, and what they take of a run. */
async function withTimers(sdk: string): Promise<{readonly startMs: readonly number[]; readonly megabytes: number}> {
  return withRig(async rig => {
    await ended((await firstTurn(rig, sdk)).program)
    const path = await waitingTimers(rig, TIMERS)
    const startMs = await inRounds(3, async () => {
      const {stdout} = await promisify(execFile)(process.execPath, [FIRST_TURN, path])
      return Number(stdout)
    })
    const run = await firstTurn(rig, sdk)
    const megabytes = await residentMegabytes(run.program.pid)
    await ended(run.program)
    return {startMs, megabytes}
  })
}

async function firstTurn(rig: Rig, sdk: string): Promise<Run> {
  const run = await started(rig, sdk)
  await asked(run, 'one', 1, 1)
  return run
}
