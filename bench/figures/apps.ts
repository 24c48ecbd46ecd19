import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../test/rig/program.ts'
import {cpuOf, residentMegabytes, usageOf} from '../../test/rig/usage.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {withRig} from '../tools.ts'

const COUNTS = [10, 50, 100, 200] as const
/** What each app runs: it costs nearly nothing itself. */
const COMMAND = ['sleep', '1000'] as const
/** What is done right after the last app was started is part of the start. */
const SETTLED_MS = 1000
/** Long enough for an idle run to give back what its start has left. */
const CALM_MS = 7000

/**
 * The least that starts so many processes and ends them: it writes a line when all are there, and ends with SIGTERM. They carry
 * the marker of apps, so that their memory is not counted.
 */
const BARE = `
const {spawn} = require('node:child_process')
const [count, command, ...args] = process.argv.slice(1)
const options = {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, PILLION_LIFE: 'bare'}}
const children = Array.from({length: Number(count)}, () => spawn(command, args, options))
for (const {stdout, stderr} of children) stdout.resume() && stderr.resume()
Promise.all(children.map(child => new Promise(resolve => child.once('spawn', resolve)))).then(() => console.log('started'))
process.once('SIGTERM', () => children.forEach(child => child.kill()))
`

interface Taken {
  readonly startedMs: number
  readonly cpuMs: number
  readonly megabytes: number
  readonly stopMs: number
}

/** A template of so many processes that do nothing, beside a script of Node that spawns the same ones and does no more. */
export const apps: Figure = {
  name: 'apps',
  needs: ['sleep'],
  measure: async ({rounds}) => {
    const measures: Measure[] = []
    for (const count of COUNTS) {
      const taken = await inRounds(Math.min(rounds, 3), async () => [await ofOurs(count), await ofBare(count)] as const)
      const row = (name: 'started' | 'CPU' | 'memory' | 'stop', unit: 'ms' | 'MB', key: keyof Taken): Measure => ({
        name: `apps: ${count}, ${name}`,
        unit,
        ours: taken.map(([ours]) => ours[key]),
        peer: taken.map(([, bare]) => bare[key]),
        peerName: 'bare Node'
      })
      measures.push(row('started', 'ms', 'startedMs'), row('CPU', 'ms', 'cpuMs'))
      measures.push(row('memory', 'MB', 'megabytes'), row('stop', 'ms', 'stopMs'))
    }
    return measures
  }
}

const ofOurs = async (count: number): Promise<Taken> =>
  withRig(async rig => {
    await rig.template(Array.from({length: count}, (_, index) => ({appID: `app-${index}`, command: COMMAND})))
    const start = (): Program => rig.pillion(['run', '-f', '.'])
    return take(count, start, async program => program.ports(`app-${count - 1}`))
  })

const ofBare = async (count: number): Promise<Taken> =>
  withRig(async rig => {
    const start = (): Program => rig.start([process.execPath, '-e', BARE, count.toString(), ...COMMAND])
    return take(count, start, async program => program.waitForLine('started'))
  })

async function take(
  count: number,
  start: () => Program,
  hasStarted: (program: Program) => Promise<unknown>
): Promise<Taken> {
  const begin = performance.now()
  const program = start()
  await hasStarted(program)
  const startedMs = performance.now() - begin
  await pause(SETTLED_MS)
  const cpuMs = await cpuOf(program.pid)
  await pause(CALM_MS)
  const megabytes = await residentMegabytes(program.pid)
  const {apps: found} = await usageOf(program.pid)
  if (found !== count) throw new Error(`${found} processes of apps were found`)
  const stop = performance.now()
  program.signal('SIGTERM')
  await program.exited
  return {startedMs, cpuMs, megabytes, stopMs: performance.now() - stop}
}
