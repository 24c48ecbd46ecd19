import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../test/rig/program.ts'
import {residentMegabytes, usageOf} from '../../test/rig/usage.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {withRig} from '../tools.ts'

const COUNT = 200
/** What each app runs: it costs nearly nothing itself. */
const COMMAND = ['sleep', '1000'] as const
/** Long enough for an idle run to give back what its start has left. */
const CALM_MS = 8000

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
  readonly megabytes: number
  readonly stopMs: number
}

export const apps: Figure = {
  name: 'apps',
  title: 'Two hundred apps',
  what: 'Two hundred processes that do nothing, in one template: until the last one has started, memory of the run eight seconds later, and its end; compared with a script of Node that spawns the same processes.',
  needs: ['sleep'],
  measure: async ({rounds}) => {
    const taken = await inRounds(rounds, async () => [await ofOurs(), await ofBare()] as const)
    const row = (name: 'started' | 'memory' | 'stop', unit: 'ms' | 'MB', key: keyof Taken): Measure => ({
      name: `200 apps: ${name}`,
      unit,
      ours: taken.map(([ours]) => ours[key]),
      peer: taken.map(([, bare]) => bare[key]),
      peerName: 'bare Node'
    })
    return [row('started', 'ms', 'startedMs'), row('memory', 'MB', 'megabytes'), row('stop', 'ms', 'stopMs')]
  }
}

const ofOurs = async (): Promise<Taken> =>
  withRig(async rig => {
    await rig.template(Array.from({length: COUNT}, (_, index) => ({appID: `app-${index}`, command: COMMAND})))
    const start = (): Program => rig.pillion(['run', '-f', '.'])
    return take(start, async program => program.ports(`app-${COUNT - 1}`))
  })

const ofBare = async (): Promise<Taken> =>
  withRig(async rig => {
    const start = (): Program => rig.start([process.execPath, '-e', BARE, COUNT.toString(), ...COMMAND])
    return take(start, async program => program.waitForLine('started'))
  })

async function take(start: () => Program, hasStarted: (program: Program) => Promise<unknown>): Promise<Taken> {
  const begin = performance.now()
  const program = start()
  await hasStarted(program)
  const startedMs = performance.now() - begin
  await pause(CALM_MS)
  const megabytes = await residentMegabytes(program.pid)
  const {apps: found} = await usageOf(program.pid)
  if (found !== COUNT) throw new Error(`${found} processes of apps were found`)
  const stop = performance.now()
  program.signal('SIGTERM')
  await program.exited
  return {startedMs, megabytes, stopMs: performance.now() - stop}
}
