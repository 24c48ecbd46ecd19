import {spawn} from 'node:child_process'
import {readFile} from 'node:fs/promises'
import {connect} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {descendantsOf} from '../../test/rig/traces.ts'
import {inRounds, type Figure, type Measure, type Unit} from '../figure.ts'
import {freePorts, withRig} from '../tools.ts'

const APPS = 40
/** First calls that come one after the other. */
const FIRST_CALLS = 20
const CALM_MS = 2000

const APP = `
import {createServer} from 'node:http'
createServer((_, response) => response.end('here')).listen(Number(process.env.APP_PORT ?? process.env.PORT), '127.0.0.1')
`

interface Round {
  readonly addresses: readonly [lazy: number, eager: number]
  readonly memory: readonly [lazy: number, eager: number]
  readonly firstCall: readonly [called: number, booted: number]
  readonly atOnce: readonly [lazy: number, eager: number]
}

/** Forty apps of Node that start with their first call, beside the same ones that start with the run, and beside one that is started without us. */
export const lazy: Figure = {
  name: 'lazy',
  needs: [],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const ports = await freePorts(APPS)
      await rig.write({'app.mjs': APP})
      const command = [process.execPath, 'app.mjs']
      await rig.template(ports.map((port, at) => ({appID: `app-${at}`, appDirPath: '.', port, command})))
      const results = await inRounds(rounds, async () => round(rig, ports))
      const row = (name: Measure['name'], unit: Unit, key: keyof Round, peerName: string): Measure => ({
        name,
        unit,
        ours: results.map(({[key]: [ours]}) => ours),
        peer: results.map(({[key]: [, peer]}) => peer),
        peerName
      })
      return [
        row('lazy: 40 addresses', 'ms', 'addresses', 'all start'),
        row('lazy: 40 apps, memory', 'MB', 'memory', 'all start'),
        row('lazy: first call', 'ms', 'firstCall', 'its boot alone'),
        row('lazy: 40 first calls at once', 'ms', 'atOnce', 'all start')
      ]
    })
}

/** Each run in turn: with apps that sleep, in which the first half is called one by one; the same for calls at once; with apps that start. */
async function round(rig: Rig, ports: readonly number[]): Promise<Round> {
  const first = await started(rig, ports, ['--lazy'])
  const memory = await memoryOf(first.program)
  const calls = await inRounds(FIRST_CALLS, async at => timeOf(async () => answered(ports[at] ?? 0)))
  await ended(first.program)
  const boots = await inRounds(FIRST_CALLS, async at => timeOf(async () => boot(rig, ports[at] ?? 0)))
  const second = await started(rig, ports, ['--lazy'])
  const atOnce = await timeOf(async () => Promise.all(ports.map(answered)))
  await ended(second.program)
  const eager = await started(rig, ports, [])
  const rest = await timeOf(async () => Promise.all(ports.map(answered)))
  const all = await memoryOf(eager.program)
  await ended(eager.program)
  return {
    addresses: [first.tookMs, eager.tookMs + rest],
    memory: [memory, all],
    firstCall: [median(calls), median(boots)],
    atOnce: [atOnce, eager.tookMs + rest]
  }
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

/** Until something takes connections at each address: an app, or the run, which waits for it. */
async function started(
  rig: Rig,
  ports: readonly number[],
  flags: readonly string[]
): Promise<{readonly program: Program; readonly tookMs: number}> {
  const from = performance.now()
  const program = rig.pillion(['run', '-f', '.', ...flags])
  await Promise.all(ports.map(listening))
  return {program, tookMs: performance.now() - from}
}

async function ended(program: Program): Promise<void> {
  program.signal('SIGTERM')
  await program.exited
}

async function answered(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {headers: {connection: 'close'}})
  if ((await answer.text()) !== 'here') throw new Error(`port ${port} has answered ${answer.status}`)
}

/** The same app without us, until it has answered. */
async function boot(rig: Rig, port: number): Promise<void> {
  const app = spawn(process.execPath, ['app.mjs'], {cwd: rig.folder, env: {PORT: port.toString()}, stdio: 'ignore'})
  const gone = new Promise(resolve => app.once('exit', resolve))
  try {
    await listening(port)
    await answered(port)
  } finally {
    app.kill('SIGKILL')
    await gone
  }
}

async function listening(port: number): Promise<void> {
  const accepts = async (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  while (!(await accepts())) await pause(2)
}

/** Proportional memory of the run and its apps, a moment later, in MB. */
async function memoryOf({pid}: Program): Promise<number> {
  await pause(CALM_MS)
  const pids = [pid, ...descendantsOf(pid).map(trace => trace.pid)]
  const sizes = await Promise.all(
    pids.map(async each => {
      const text = await readFile(`/proc/${each}/smaps_rollup`, 'utf8').catch(() => '')
      return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
    })
  )
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6
}
