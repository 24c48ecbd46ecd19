/** Programs behind the launchers that people use, for each way in which they end: one stop signal each, time to finish, and nothing left. */
import {cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {onTerminal} from '../rig/on-terminal.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {installed, launchersOfGo, launchersOfNpm, launchersOfPython} from './installed.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/launched')

/** A machine with two busy cores starts all of them within this time. */
const UP_MS = 90_000
/** Half of it has to be enough for the slowest launcher on such a machine: who is killed asks once more then. */
const GRACE = '60s'

interface Launched {
  readonly command: readonly string[]
  /** How many processes note their signals. Left out: one. */
  readonly programs?: number
  /** The launcher alone may send more than one signal, also without Pillion. */
  readonly repeats?: true
}

const node = process.execPath
const SCRIPTS = {start: 'node program.mjs', both: 'node -e 0 && node program.mjs', tsx: 'tsx program.mjs'}
const OF_SYSTEM: Readonly<Record<string, Launched>> = {
  node: {command: [node, 'program.mjs']},
  'node --watch': {command: [node, '--watch', 'program.mjs']},
  'sh -c "a; b"': {command: ['sh', '-c', 'node program.mjs; true']},
  'sh -c "a & b"': {command: ['sh', '-c', 'node program.mjs & node program.mjs'], programs: 2},
  'bash -c "a; b"': {command: ['bash', '-c', 'node program.mjs; true']},
  make: {command: ['make', '-s', 'start']},
  'npm start': {command: ['npm', 'start']},
  'npm run, a && b': {command: ['npm', 'run', 'both']},
  'npm run, two levels': {command: ['sh', '-c', 'npm run both; true']},
  'go run': {command: ['go', 'run', '.']}
}
const OF_NPM: Readonly<Record<string, Launched>> = {
  'npx tsx': {command: ['npx', '--no-install', 'tsx', 'program.mjs']},
  tsx: {command: ['tsx', 'program.mjs']},
  'tsx watch': {command: ['tsx', 'watch', 'program.mjs']},
  'npm run tsx': {command: ['npm', 'run', 'tsx']},
  'pnpm start': {command: ['pnpm', 'start']},
  'pnpm exec': {command: ['pnpm', 'exec', 'node', 'program.mjs']},
  'yarn start': {command: ['yarn', '--silent', 'start']},
  nodemon: {command: ['nodemon', '-q', 'program.mjs'], repeats: true},
  concurrently: {command: ['concurrently', 'node program.mjs', 'node program.mjs'], programs: 2}
}
const OF_PYTHON: Readonly<Record<string, Launched>> = {
  python3: {command: ['python3', 'program.py']},
  'uv run': {command: ['uv', 'run', '--no-project', 'python3', 'program.py']},
  'poetry run': {command: ['poetry', 'run', 'python3', 'program.py']},
  gunicorn: {command: ['gunicorn', '-c', 'web.py', '-b', '127.0.0.1:0', '-w', '2', 'web:wsgi'], programs: 2},
  'uvicorn --reload': {command: ['uvicorn', '--port', '0', '--reload', 'web:asgi']}
}
const OF_GO: Readonly<Record<string, Launched>> = {air: {command: ['air', '-c', 'air.toml'], repeats: true}}

const AIR = `[build]
cmd = "go build -o ./built ."
entrypoint = ["./built"]
send_interrupt = true
kill_delay = "2s"
exclude_regex = []
`

/** The launchers that can be had here, and where they are. */
async function launchers(t: Test): Promise<{
  readonly all: Readonly<Record<string, Launched>>
  readonly env: Record<string, string>
  readonly npm: string | undefined
}> {
  const npm = await installed(t, launchersOfNpm)
  const python = await installed(t, launchersOfPython)
  const go = await installed(t, launchersOfGo)
  const folders = [npm && join(npm, 'node_modules/.bin'), python && join(python, 'bin'), go].filter(
    each => each !== undefined
  )
  const all = {...OF_SYSTEM, ...(npm && OF_NPM), ...(python && OF_PYTHON), ...(go && OF_GO)}
  const wanted = process.env['LAUNCHERS']?.split(',') ?? Object.keys(all)
  return {
    npm,
    all: Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))),
    env: {
      PATH: [...folders, process.env['PATH']].join(':'),
      PYTHONPATH: python ?? '',
      npm_config_update_notifier: 'false',
      GOTOOLCHAIN: 'local',
      GOCACHE: process.env['GOCACHE'] ?? '/tmp/pillion-test-go-cache'
    }
  }
}

/** A run of all launchers, each with its program. */
class House {
  readonly rig: Rig
  readonly #all: readonly (readonly [name: string, launched: Launched])[]
  readonly #env: Readonly<Record<string, string>>
  readonly #npm: string | undefined
  #turnedAt = 0
  #seen = new Map<string, number>()

  constructor(rig: Rig, {all, env, npm}: Awaited<ReturnType<typeof launchers>>) {
    this.rig = rig
    this.#all = Object.entries(all)
    this.#env = env
    this.#npm = npm
  }

  get ids(): readonly string[] {
    return this.#all.map((_, at) => `a${at}`)
  }

  async write(): Promise<void> {
    mkdirSync(join(this.rig.folder, 'records'))
    await this.rig.template(
      this.#all.map(([, {command}], at) => ({
        appID: `a${at}`,
        command,
        watch: ['saved.txt'],
        stop: {timeout: GRACE},
        env: {RECORD: this.#record(at)}
      }))
    )
    for (const [at] of this.#all.entries()) {
      const folder = join(this.rig.folder, `a${at}`)
      cpSync(FIXTURES, folder, {recursive: true})
      if (this.#npm !== undefined) symlinkSync(join(this.#npm, 'node_modules'), join(folder, 'node_modules'))
      writeFileSync(join(folder, 'package.json'), JSON.stringify({name: 'launched', type: 'module', scripts: SCRIPTS}))
      writeFileSync(join(folder, 'Makefile'), 'start:\n\tnode program.mjs\n\ttrue\n')
      writeFileSync(join(folder, 'go.mod'), 'module launched\n')
      writeFileSync(join(folder, 'air.toml'), AIR)
      writeFileSync(
        join(folder, 'pyproject.toml'),
        '[project]\nname = "launched"\nversion = "1.0.0"\n[tool.poetry]\npackage-mode = false\n'
      )
      writeFileSync(this.#record(at), '')
    }
  }

  async start(hasTerminal: boolean): Promise<Program> {
    const options = {env: this.#env}
    const args = ['run', '-f', '.']
    const run = hasTerminal ? onTerminal(this.rig, args, options) : this.rig.pillion(args, options)
    await this.up()
    return run
  }

  /** Waits until as many programs are up as belong to the launchers, once more. */
  async up(): Promise<void> {
    for (const [at, [name, {programs = 1}]] of this.#all.entries())
      await this.#until(`${name} is up`, () => this.#new(at, 'up').length >= programs)
  }

  /** Forgets what was noted so far. */
  turn(): void {
    this.#turnedAt = Date.now()
    for (const at of this.#all.keys()) this.#seen.set(this.#record(at), this.#lines(at).length)
  }

  /** Waits until each program was asked and has ended, for as long as the grace; returns what each did that it should not. */
  judge(asked: ReadonlyMap<number, readonly string[]>): readonly string[] {
    const wrong: string[] = []
    for (const [at, [name, {repeats = false}]] of this.#all.entries()) {
      for (const pid of asked.get(at) ?? []) {
        const msOf = (word: string): readonly number[] =>
          this.#new(at, word)
            .filter(each => each.pid === pid)
            .map(each => each.ms)
        const [first = 0, ...more] = msOf('asked')
        const isDone = msOf('done').length > 0
        if (first > 0 && (repeats || more.length === 0) && isDone) continue
        const times = [first, ...more].map(ms => (ms - this.#turnedAt) / 1000)
        wrong.push(
          `${name}: ${first === 0 ? 'no signal' : `signals after ${times.join(', ')} s`}, ${isDone ? 'finished' : 'cut off'}`
        )
      }
    }
    return [...new Set(wrong)]
  }

  /** The programs that are up. */
  get running(): ReadonlyMap<number, readonly string[]> {
    return new Map([...this.#all.keys()].map(at => [at, this.#new(at, 'up').map(({pid}) => pid)]))
  }

  #new(at: number, word: string): readonly {readonly pid: string; readonly ms: number}[] {
    const lines = this.#lines(at).slice(this.#seen.get(this.#record(at)) ?? 0)
    return lines
      .map(line => line.split(' '))
      .flatMap(([each, pid = '', ms]) => (each === word ? [{pid, ms: Number(ms)}] : []))
  }

  readonly #record = (at: number): string => join(this.rig.folder, 'records', `a${at}`)
  readonly #lines = (at: number): readonly string[] => readFileSync(this.#record(at), 'utf8').split('\n').slice(0, -1)

  async #until(what: string, holds: () => boolean): Promise<void> {
    for (const end = performance.now() + UP_MS; !holds(); await pause(50))
      if (performance.now() > end) throw new Error(`never: ${what}`)
  }
}

t.test('each program behind a launcher gets one signal and finishes, and nothing is left', async t => {
  const found = await launchers(t)
  const house = new House(await openRig(t), found)
  const {rig} = house
  await house.write()

  const during: Readonly<Record<string, () => Promise<unknown>>> = {
    restart: async () => rig.run(['restart', ...house.ids]),
    'a save': async () =>
      rig.write(Object.fromEntries(house.ids.map(id => [`${id}/saved.txt`, `${performance.now()}`])))
  }
  const last: Readonly<Record<string, readonly [hasTerminal: boolean, end: (run: Program) => unknown]>> = {
    stop: [false, async () => rig.run(['stop', ...house.ids])],
    'Ctrl-C': [false, run => run.signal('SIGINT')],
    'a closed terminal': [true, run => run.signal('SIGKILL')],
    'kill -9': [false, run => run.signal('SIGKILL')]
  }
  const judge = async (name: string, end: () => unknown): Promise<void> => {
    const {running} = house
    house.turn()
    await end()
    t.same(house.judge(running), [], name)
  }
  const left = async (): Promise<void> => void t.same(await rig.leftovers(90_000), [], 'nothing is left')

  for (const [name, [hasTerminal, end]] of Object.entries(last)) {
    house.turn()
    const run = await house.start(hasTerminal)
    if (name === 'stop')
      for (const [each, again] of Object.entries(during))
        await judge(each, async () => {
          await again()
          await house.up()
        })
    await judge(name, async () => {
      await end(run)
      await left()
    })
  }
})
