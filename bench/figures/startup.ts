import {execFile, execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, statSync} from 'node:fs'
import {open} from 'node:fs/promises'
import {join} from 'node:path'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure, type MeasureName} from '../figure.ts'
import {withRig} from '../tools.ts'

const ROOT = join(import.meta.dirname, '../..')
const NPM = [process.execPath, join(ROOT, 'bin/pillion.js')]
const BINARY = process.env['PILLION'] ?? join(ROOT, 'build/pillion')

type Form = 'npm' | 'binary'
type CommandHandler = '--version' | '--help' | 'run'
const DEEDS = ['--version', '--help', 'run'] as const

/** From our spawn to the end (`--version`, `--help`), or to the spawn of the one app (`run`), beside a bare `node -e 0`. */
export const startup: Figure = {
  name: 'startup',
  needs: ['mkfifo'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const forms: readonly (readonly [Form, readonly string[]])[] = [
        ['npm', NPM],
        ...(existsSync(BINARY) ? [['binary', [BINARY]] as const] : [])
      ]
      const fifo = join(rig.folder, 'started')
      execFileSync('mkfifo', [fifo])
      await rig.template([{appID: 'one', command: ['/bin/sh', '-c', `: > ${fifo}`]}])
      const results = await inRounds(rounds * 4 + 1, async () => oneRound(rig, forms, fifo))
      const counted = results.slice(1) // the first one warms the disk's cache and our own
      const node = counted.map(({bare}) => bare)
      return [
        ...forms.flatMap(([form]) => DEEDS.map(handler => measureOf(form, handler, {counted, node}))),
        ...(existsSync(BINARY) ? [size()] : [])
      ]
    })
}

interface Round {
  readonly bare: number
  readonly ms: ReadonlyMap<MeasureName, number>
}

const nameOf = (form: Form, handler: CommandHandler): MeasureName => `startup: ${handler}, ${form}`

const measureOf = (
  form: Form,
  handler: CommandHandler,
  {counted, node}: {readonly counted: readonly Round[]; readonly node: readonly number[]}
): Measure => {
  const name = nameOf(form, handler)
  return {name, unit: 'ms', ours: counted.map(({ms}) => ms.get(name) ?? Number.NaN), peer: node, peerName: 'node -e 0'}
}

const size = (): Measure => ({
  name: 'size: binary',
  unit: 'MB',
  ours: [statSync(BINARY).size / 1e6],
  peer: [],
  peerName: ''
})

async function oneRound(
  rig: Rig,
  forms: readonly (readonly [Form, readonly string[]])[],
  fifo: string
): Promise<Round> {
  const bare = await untilEnd(rig, [process.execPath, '-e', '0'])
  const ms = new Map<MeasureName, number>()
  for (const [form, program] of forms) {
    for (const handler of ['--version', '--help'] as const)
      ms.set(nameOf(form, handler), await untilEnd(rig, [...program, handler]))
    ms.set(nameOf(form, 'run'), await untilApp(rig, program, fifo))
  }
  return {bare, ms}
}

const start = ({folder, home, runtimeDir}: Rig, [file = '', ...args]: readonly string[]) =>
  spawn(file, args, {
    cwd: folder,
    env: {PATH: process.env['PATH'], HOME: home, PILLION_RUNTIME_DIR: runtimeDir, PILLION_NAMES: '0'},
    stdio: 'ignore'
  })

async function untilEnd(rig: Rig, command: readonly string[]): Promise<number> {
  const begin = performance.now()
  const [code] = (await once(start(rig, command), 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`)
  return performance.now() - begin
}

/** The app opens the pipe for writing, and by that lets us open it for reading. */
async function untilApp(rig: Rig, program: readonly string[], fifo: string): Promise<number> {
  let isThere = false
  const reading = open(fifo).finally(() => (isThere = true))
  const begin = performance.now()
  const child = start(rig, [...program, 'run', '-f', '.'])
  const ended = once(child, 'exit')
  // an app that never came must not block us
  void ended.then(() => isThere || execFile('sh', ['-c', `: > ${fifo}`]))
  const pipe = await reading
  const tookMs = performance.now() - begin
  await pipe.close()
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`run ended with ${String(code)}`)
  return tookMs
}
