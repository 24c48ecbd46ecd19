import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {daprForJavascript, installed} from '../../test/sdks/installed.ts'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {cpuOf} from '../../test/rig/usage.ts'
import {daprForWorkflows} from '../dapr-workflows.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {freePorts, withRig} from '../tools.ts'

const WORKER = join(import.meta.dirname, '../../test/fixtures/sdks/workflow-load.mjs')

type Numbers = readonly (readonly [name: MeasureName, unit: Unit, value: number])[]

export const workflows: Figure = {
  name: 'workflows',
  title: 'Workflows compared with Dapr',
  what: 'One worker of Dapr’s SDK for JavaScript, which is its own client: activities a second with 64 workflows at once, processor time of an activity without the worker, and the median of a workflow of one activity. Dapr’s four programs (daprd, placement, scheduler, redis-server) do the same in turn.',
  needs: ['npm'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const sdk = await sdkFolder()
      const run = await started(rig, sdk)
      const dapr = await daprWithWorker(rig, sdk)
      for (const each of [run, ...(dapr === undefined ? [] : [dapr])]) await asked(each, 200, 8) // warm
      const results = await inRounds(rounds, async () => ({
        ours: await numbersOf(run),
        peer: dapr && (await numbersOf(dapr))
      }))
      await dapr?.end()
      await ended(run.program)
      return (results[0]?.ours ?? []).map(([name, unit], index): Measure => {
        const at = (numbers: Numbers | undefined): readonly number[] =>
          numbers?.slice(index, index + 1).map(([, , value]) => value) ?? []
        return {
          name,
          unit,
          ours: results.flatMap(({ours}) => at(ours)),
          peer: results.flatMap(({peer}) => at(peer)),
          peerName: 'daprd'
        }
      })
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

async function started(rig: Rig, sdk: string): Promise<Run> {
  const [appPort = 0] = await freePorts(1)
  const env = {SDK_FOLDER: sdk, APP_PORT: appPort.toString()}
  await rig.template([{appID: 'shop', appPort, command: [process.execPath, WORKER], env}])
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

async function ended(program: Program): Promise<void> {
  program.signal('SIGTERM')
  await program.exited
}

interface Told {
  readonly ms: number
  readonly p50: number
}

/** Has the worker do so many workflows of one activity. */
async function asked({url}: Loaded, count: number, atOnce: number): Promise<Told> {
  const query = new URLSearchParams({count: String(count), atOnce: String(atOnce)}).toString()
  const response = await fetch(`${url}?${query}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return JSON.parse(text) as Told
}

async function numbersOf(run: Loaded): Promise<Numbers> {
  const count = 1000
  const from = await run.cpuMs()
  const many = await asked(run, count, 64)
  const cpu = ((await run.cpuMs()) - from) / count
  const alone = await asked(run, 200, 1)
  return [
    ['workflows: one activity', '/s', (1000 * count) / many.ms],
    ['workflows: CPU', 'ms', cpu],
    ['workflows: p50', 'ms', alone.p50]
  ]
}
