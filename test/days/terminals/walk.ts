import {setTimeout as pause} from 'node:timers/promises'
import {Random} from '../../fuzz/random.ts'
import {environmentOf, isAlive, type Trace} from '../../rig/traces.ts'
import type {SeedWalk} from '../seeds.ts'
import {APPS, FOLDERS, House, type Registered} from './house.ts'
import {disturbancesAt, PLACES, Typed, type Place} from './typed.ts'
import {WORDS, type Words} from './words.ts'

type Kind = keyof typeof WORDS
const KINDS = (Object.keys(WORDS) as readonly Kind[]).flatMap(kind =>
  Array<Kind>((WORDS[kind] as Words).weight ?? 1).fill(kind)
)
/** So many may be typed at a time. */
const HANDS = 3
/** Two are typed within this time, and one is disturbed within it. */
const APART_MS = 500
const DISTURBED_MS = 1200
/** So long a command may take that has something to do. */
const ENDS_MS = 40_000

const within = async (ms: number, what: Promise<unknown>): Promise<boolean> =>
  Promise.race([what.then(() => true), pause(ms, false, {ref: false})])

/**
 * Commands of two templates are typed at the same time, and disturbed at any moment. Each ends as it should, tells the truth, and leaves nothing.
 */
export async function walkTerminals({seed, steps}: {readonly seed: number; readonly steps: number}): Promise<SeedWalk> {
  const walk = new Walk(seed)
  const faults: string[] = []
  try {
    await walk.house.open()
    for (let step = 1; step <= steps && faults.length === 0; step++) {
      faults.push(...(await walk.round()))
      if (faults.length === 0 && (step % 4 === 0 || step === steps)) faults.push(...(await walk.rest()))
    }
  } catch (error) {
    faults.push(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  await walk.house.rig.close(true)
  return {faults, steps: walk.done}
}

class Walk {
  readonly house = new House()
  readonly done: string[] = []
  readonly #random: Random
  /** Runs that somebody has typed and not ended. */
  #runs: Typed[] = []

  constructor(seed: number) {
    this.#random = new Random('terminals', seed)
  }

  /** Some commands at the same time; those that last may stay. */
  async round(): Promise<readonly string[]> {
    const random = this.#random
    const hands = Array.from({length: 1 + random.below(HANDS)}, () => this.#invented())
    const killed = random.oneIn(4) ? [this.#kill(random.below(DISTURBED_MS), random.below(10))] : []
    const faults = (await Promise.all([...killed, ...hands.map(async hand => this.#type(hand))])).flat()
    // a run stays on its terminal
    const ended = this.#runs.filter(({hasEnded}) => hasEnded)
    this.#runs = this.#runs.filter(({hasEnded}) => !hasEnded)
    faults.push(...(await Promise.all(ended.map(async typed => typed.faults()))).flat())
    this.done.push('--')
    if (faults.length === 0 && random.oneIn(2)) faults.push(...(await this.#truthFaults()))
    return faults
  }

  #invented(): Hand {
    const random = this.#random
    const kind = random.pick(KINDS)
    const folder = random.pick(FOLDERS)
    const place = random.oneIn(2) ? 'pipes' : random.pick(PLACES)
    const args = WORDS[kind].args({folder, app: random.pick(APPS[folder])})
    const isDisturbed = random.oneIn(2)
    return {
      kind,
      folder,
      place,
      args,
      afterMs: random.below(APART_MS),
      how: isDisturbed ? random.pick(disturbancesAt(place)) : undefined,
      disturbedMs: random.below(DISTURBED_MS)
    }
  }

  /** One of the runs. */
  async #kill(afterMs: number, which: number): Promise<readonly string[]> {
    await pause(afterMs)
    const {registered} = this.house
    const {pid = 0} = registered[which % registered.length] ?? {}
    if (pid === 0) return []
    process.kill(pid, 'SIGKILL')
    this.done.push(`run ${pid} is killed`)
    for (const typed of this.#runs) if (typed.program.pid === pid) typed.disturbed = 'KILL'
    return []
  }

  async #type({kind, folder, place, args, afterMs, how, disturbedMs}: Hand): Promise<readonly string[]> {
    await pause(afterMs)
    const words: Words = WORDS[kind]
    const before = this.#before(words, folder, args)
    const typed = new Typed(this.house.rig, kind, {args, place})
    if (how !== undefined) {
      await pause(disturbedMs)
      typed.disturb(how)
    }
    const isEnded = await within(words.lasts === undefined ? ENDS_MS : 1500, typed.program.exited)
    if (!isEnded && words.lasts === 'run' && (how === undefined || how === 'input ends' || how === 'reader gone')) {
      this.done.push(`${typed.title} stays`)
      this.#runs.push(typed)
      return []
    }
    if (!isEnded) await this.#leave(typed)
    this.done.push(typed.title)
    if (!typed.hasEnded)
      return [`${typed.title} does not end: ${typed.program.stdout.text}${typed.program.stderr.text}`]
    this.done.push(
      `   ${JSON.stringify((await typed.program.exited).code)} ${typed.program.stdout.text.slice(0, 300)}${typed.program.stderr.text.slice(0, 600)}`
    )
    const faults = await typed.faults()
    return typed.disturbed === undefined ? [...faults, ...(await this.#keptFaults(typed, before))] : faults
  }

  /** Ends what lasts. */
  async #leave(typed: Typed): Promise<void> {
    const isApp = typed.args[0] === 'attach' && typed.place === 'terminal'
    typed.disturb(typed.place === 'terminal' ? 'Ctrl-C' : 'INT')
    if (isApp) typed.program.stdin.write('\x10\x11')
    if (typed.args[0] === 'ui') typed.program.stdin.write('q')
    // Ctrl-C reaches a command of `exec` by the terminal alone
    if (typed.args[0] === 'exec') typed.disturb(typed.place === 'terminal' ? 'hang-up' : 'TERM')
    await within(ENDS_MS, typed.program.exited)
  }

  #before(words: Words, folder: (typeof FOLDERS)[number], args: readonly string[]): Before {
    return {
      runs: words.ends === 'run' ? this.house.ofFolder(folder) : [],
      apps: words.ends === 'app' ? this.house.appProcesses(args[0] === 'stop' ? (args[2] ?? '') : (args[1] ?? '')) : []
    }
  }

  /** What a command said that is not so. */
  async #keptFaults({title, program, args}: Typed, {runs, apps}: Before): Promise<readonly string[]> {
    const {code} = await program.exited
    if (code !== 0) return []
    const living = this.house.processes
    const left = runs.filter(({pid}) => living.some(each => each.pid === pid))
    const leftApps = apps.filter(app => isAlive(app) && environmentOf(app.pid).some(each => each.startsWith('APP_ID=')))
    const word = args[0] ?? ''
    const isSaid = word !== 'stop' || /app stopped successfully/.test(program.stdout.text)
    return [
      ...left.map(
        ({pid, isStarting}) =>
          `${title} ends with 0, and run ${pid} is there${isStarting ? ' (it was starting)' : ''}: ${program.stdout.text}`
      ),
      ...(isSaid ? leftApps.map(({pid, command}) => `${title} ends with 0, and ${pid} ${command} is there`) : [])
    ]
  }

  /** At rest `list` has the apps that there are. */
  async #truthFaults(): Promise<readonly string[]> {
    return this.house.until(async () => {
      const {code, stdout, stderr} = await this.house.rig.run(['list', '-o', 'json'])
      if (code !== 0) return [`list ends with ${code}: ${stderr}`]
      const listed = JSON.parse(stdout) as readonly {
        readonly appId: string
        readonly appPid: number
        readonly cliPid: number
      }[]
      const processes = this.house.processes
      const double = FOLDERS.filter(
        folder => this.house.ofFolder(folder).filter(({pid}) => isPlainUp(processes, pid)).length > 1
      )
      const lives = (pid: number): boolean => processes.some(each => each.pid === pid)
      const homeless = processes.filter(({pid}) => {
        const env = environmentOf(pid)
        const id = env.find(each => each.startsWith('APP_ID='))?.slice(7)
        return id !== undefined && !listed.some(({appId, cliPid}) => appId === id && lives(cliPid))
      })
      return [
        ...double.map(folder => `two runs of ${folder} by up`),
        ...listed
          .filter(({cliPid}) => !lives(cliPid))
          .map(({appId, cliPid}) => `${appId} is listed, and its run ${cliPid} is gone`),
        ...listed
          .filter(({appPid}) => appPid > 0 && !lives(appPid))
          .map(({appId, appPid}) => `${appId} is listed, and its process ${appPid} is gone`),
        ...homeless.map(({pid, command}) => `${pid} ${command} belongs to no run: ${stdout}`)
      ]
    })
  }

  /** Ends all: nothing may be left. */
  async rest(): Promise<readonly string[]> {
    const faults: string[] = []
    const up = await this.house.rig.run(['up', '-d', '-f', this.#random.pick(FOLDERS)])
    if (up.code !== 0 && !/is already (running|being started)/.test(up.stderr))
      faults.push(`up -d ends with ${up.code}: ${up.stdout}${up.stderr}`)
    await this.house.rig.run(['stop', 'solo']) // of no template
    for (const folder of FOLDERS) {
      const before = this.house.ofFolder(folder)
      const {code, stdout, stderr} = await this.house.rig.run(['down', '-f', folder])
      if (code !== 0) faults.push(`down ${folder} ends with ${code}: ${stdout}${stderr}`)
      const living = this.house.processes
      for (const {pid} of before)
        if (living.some(each => each.pid === pid))
          faults.push(`down ${folder} ends with ${code}, and run ${pid} is there: ${stdout}`)
    }
    for (const typed of this.#runs) {
      if (!(await within(ENDS_MS, typed.program.exited)))
        faults.push(`${typed.title} does not end by down: ${typed.program.stdout.text}${typed.program.stderr.text}`)
      else faults.push(...(await typed.faults()))
    }
    this.#runs = []
    this.done.push('down')
    faults.push(...(await this.house.until(() => this.house.leftFaults())))
    return faults
  }
}

/** `up` and `up -d` refuse a second run. */
const isPlainUp = (processes: readonly Trace[], pid: number): boolean =>
  processes.some(
    each =>
      each.pid === pid && / up /.test(each.command) && !/ --(name|run)/.test(each.command.replaceAll('--run-file', ''))
  )

interface Hand {
  readonly kind: Kind
  readonly folder: (typeof FOLDERS)[number]
  readonly place: Place
  readonly args: readonly string[]
  readonly afterMs: number
  readonly how: ReturnType<typeof disturbancesAt>[number] | undefined
  readonly disturbedMs: number
}

interface Before {
  readonly runs: readonly Registered[]
  readonly apps: readonly Trace[]
}
