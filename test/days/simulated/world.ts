import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {RunEvent} from '../../../src/model/events.ts'
import type {Plan} from '../../../src/model/plan.ts'
import type {Run} from '../../../src/run/run.ts'
import type {Action} from '../steps/step.ts'
import {nameOf, type Commands} from '../template.ts'
import {BETWEEN_CALLS_MS, EDIT_AFTER, type Seen, type Told, type World} from '../world.ts'
import {SimulatedCalls} from './calls.ts'
import {current, Machine} from './machine.ts'
import {replaceModules} from './replaced.ts'

replaceModules()
const {Run: SimulatedRun} = await import('../../../src/run/run.ts')
const {loadTemplate} = await import('../../../src/files/config/load.ts')
const {onlyThese} = await import('../../../src/run/selection.ts')
// what a run loads when it first needs it takes real time: the first walk would go another way than later ones
await Promise.all([
  import('../../../src/run/edits/watch-apps.ts'),
  import('../../../src/supervisor/reload/overlap.ts'),
  import('../../../src/run/open-published.ts'),
  import('../../../src/supervisor/messages/port-hint.ts')
])

/** How long nothing may happen before the run counts as at rest. */
const REST_MS = 3000
/** Between two steps without a rest. */
const MAX_HURRY_MS = 300
/** Until an app that never comes up is given up: some four minutes. */
const MAX_WAITS = 2000

const nameOfTold = ({id, instance}: Told): string => nameOf(id, instance)

/** The code that decides the order of things, on an invented machine. */
export class SimulatedWorld implements World {
  readonly commands: Commands = {server: ['server'], worker: ['worker'], 'one-shot': ['one-shot'], sidecar: []}
  readonly programs = {}
  readonly commonKeys = {}
  readonly ports = [1, 2, 3]
  readonly isPatient = true
  readonly whyNoLimits = ''
  readonly #folder = mkdtempSync(join(tmpdir(), 'day-'))
  readonly #machine: Machine
  readonly #said: string[] = []
  /** Commands that may be under way. */
  #left: Promise<void>[] = []
  #run: Run | undefined
  #ended: string | undefined
  /** When the last look was as it should be. */
  #settledAt = 0
  #calls: SimulatedCalls

  constructor(seed: number) {
    this.#machine = new Machine(seed)
    current.machine = this.#machine
    this.#calls = new SimulatedCalls(this.#machine)
    process.on('unhandledRejection', this.#outcry)
  }

  begin(number: number): void {
    this.#machine.reseed(number)
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'write':
        for (const [path, text] of Object.entries(action.files)) this.#machine.write(join(this.#folder, path), text)
        break
      case 'write many':
        for (const folder of action.folders)
          for (let i = 1; i <= action.count; i++)
            this.#machine.write(join(this.#folder, folder, `many-${i}.txt`), action.text, {isSeen: false})
        break
      case 'pillion': {
        const command = this.#pillion(action.args[0] ?? '', action.args[1] ?? '')
        if (action.isLeft === true) this.#left.push(command)
        else await this.#until(command)
        break
      }
      case 'up':
        await this.#up(action.args)
        break
      case 'kill app': {
        const pid = this.#told().find(({id, instance}) => nameOf(id, instance) === action.name)?.pid
        this.#machine.living.find(each => each.pid === pid)?.exit({kind: 'signal', signal: action.signal})
        break
      }
      case 'kill run':
        await this.#until(this.#down())
        break
      case 'clock jumps':
        this.#machine.jump(action.ms)
        break
      case 'write under calls':
        for (let i = 0; i < action.count; i++) {
          this.#calls.make(action)
          if (i === EDIT_AFTER) await this.act({do: 'write', files: action.files})
          else await this.#machine.pass(BETWEEN_CALLS_MS)
        }
        break
      case 'call':
        for (let i = 0; i < action.count; i++) this.#calls.make(action)
        break
      case 'publish':
      case 'save state':
      case 'flood':
      case 'suspend':
      case 'other run':
      case 'second run':
      case 'second up':
      case 'plan':
      case 'stream':
      case 'start workflow':
      case 'raise event':
      case 'pause':
      case 'take ports':
      case 'free ports':
      case 'few descriptors':
      case 'full disk': // steps of the real world alone
      case 'rest':
    }
    await this.#machine.pass(this.#machine.random() * MAX_HURRY_MS)
  }

  async rest(): Promise<string> {
    await this.#machine.pass(REST_MS)
    await this.#until(Promise.all(this.#left).then(() => undefined))
    this.#left = []
    let quiet = this.#isRestless() ? 0 : 10
    for (let i = 0; i < MAX_WAITS && quiet < 10; i++) {
      await this.#machine.pass(REST_MS / 10)
      quiet = this.#isRestless() ? 0 : quiet + 1
    }
    return quiet < 10 ? 'the run does not come to rest' : ''
  }

  /** An app is being started again and again, until it is given up: between two tries, in one, or its end is not noticed yet. */
  #isRestless(): boolean {
    const {processes, clock} = this.#machine
    const all = this.#ended === undefined ? (this.#run?.control?.list().apps ?? []) : []
    return (
      all.some(({restartsAt}) => restartsAt !== null) ||
      processes.some(({bornAt, endedAt = bornAt}) => clock.now() - endedAt < REST_MS / 10)
    )
  }

  #told(): readonly Told[] {
    const all = this.#ended === undefined ? (this.#run?.control?.list().apps ?? []) : []
    return all.map(({id, instance, pid, isReady, state, exitCode, httpPort, grpcPort, appPort}) => ({
      id,
      instance,
      state,
      isReady,
      pid,
      exitCode: exitCode ?? -1,
      httpPort,
      grpcPort,
      appPort
    }))
  }

  async look(): Promise<Seen> {
    const {living, processes, sidecars, begun} = this.#machine
    const apps = this.#told()
    return Promise.resolve({
      end: this.#ended,
      apps,
      listed: apps.filter(({state}) => state !== 'stopped').map(nameOfTold),
      living: living.map(({id, pid, life, env, text = ''}) => ({id, pid, isChild: true, life, env, text})),
      ended: processes
        .filter(({bornAt, endedAt, text}) => bornAt >= this.#settledAt && endedAt !== undefined && text !== undefined)
        .map(({id, pid, life, env, text = ''}) => ({id, pid, isChild: true, life, env, text})),
      strangers: [],
      begun: [...begun],
      calls: this.#calls.all,
      delivered: this.#calls.delivered,
      published: [],
      received: [],
      streams: [],
      answers: new Map(apps.map(told => [nameOfTold(told), this.#answerAt(told.appPort)])),
      ports: new Map(this.ports.map(port => [port, this.#answerOf(port)])),
      sidecars: new Set([...sidecars.values()].map(({name}) => name)),
      outcries: this.#said.filter(line => line.startsWith('!')).map(line => `the run says: ${line.slice(2)}`)
    })
  }

  async waits(): Promise<boolean> {
    return Promise.resolve(false)
  }

  settle(): void {
    this.#machine.begun = []
    this.#settledAt = this.#machine.clock.now()
    this.#calls = new SimulatedCalls(this.#machine)
  }

  async close(): Promise<readonly string[]> {
    await this.#until(this.#down())
    process.off('unhandledRejection', this.#outcry)
    rmSync(this.#folder, {recursive: true, force: true})
    return [
      ...this.#machine.living.map(({id, pid}) => `process ${pid} of ${id}`),
      ...[...this.#machine.sidecars.values()].map(({id}) => `the sidecar of ${id}`)
    ]
  }

  report(): string {
    return this.#said.join('\n')
  }

  readonly #outcry = (error: unknown): void => {
    this.#said.push(`! ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }

  async #up(args: readonly string[]): Promise<void> {
    const around = {cwd: this.#folder, home: this.#folder, env: {}, readStdin: () => ''}
    const flag = (name: string): readonly string[] => args.flatMap((arg, i) => (args[i - 1] === name ? [arg] : []))
    const [files, only] = [flag('-f'), flag('--only')]
    const load = async (): Promise<Plan> => {
      const wishes = {watch: true, ...(only.length === 0 && {profiles: flag('--profile')})}
      const {plan} = await this.#machine.outside(loadTemplate(files.length > 0 ? files : '.', around, wishes))
      return only.length > 0 ? onlyThese(plan, only) : plan
    }
    const run = new SimulatedRun({
      plan: await load(),
      env: {},
      form: {kind: 'template', prefixOf: () => undefined},
      output: {write: () => undefined, midLine: false},
      isTerminal: false,
      emit: event => this.#hear(event),
      reread: load,
      excepted: new Set(flag('--except'))
    })
    this.#run = run
    this.#ended = undefined
    void run.ended.then(isWell => (this.#ended = isWell ? 'exit 0' : 'exit 1'), this.#outcry)
    await this.#until(run.start())
    await this.#machine.pass(500)
  }

  #hear(event: RunEvent): void {
    if (event.type === 'warned') {
      const isOutcry = /cannot apply the edit|cannot watch/.test(event.text)
      this.#said.push(`${isOutcry ? '!' : '⚠'} ${event.text}`)
    }
  }

  async #pillion(verb: string, id: string): Promise<void> {
    const handlers = this.#run?.control
    if (verb === 'down') return this.#down()
    if (this.#ended !== undefined) return
    const told =
      verb === 'stop'
        ? await handlers?.stopApp(id)
        : verb === 'start'
          ? (await handlers?.startApp(id))?.outcome
          : verb === 'debug'
            ? (await handlers?.debugApp(id))?.why
            : await handlers?.restartApp(id)
    this.#said.push(`$ pillion ${verb} ${id} → ${String(told)}`)
  }

  async #down(): Promise<void> {
    this.#run?.stop()
    await this.#run?.ended.catch(() => undefined)
  }

  /** Lets time pass until this is over. */
  async #until(work: Promise<void>): Promise<void> {
    const state = {isOver: false}
    const over = work.catch(this.#outcry).then(() => (state.isOver = true))
    for (let i = 0; i < 1000 && !state.isOver; i++) await this.#machine.pass(20)
    if (state.isOver) await over
    else this.#said.push('! a command does not end')
  }

  /** As the real one: what it says of an app that has ended, or is on its way, is not decided here. */
  #answerOf(port: number): string {
    const callee = this.#machine.bound.get(port)?.().callee
    if (callee === undefined) return ''
    const apps = this.#told().filter(({id}) => id === callee)
    const up = apps.find(({isReady}) => isReady)
    if (up !== undefined) return this.#answerAt(up.appPort)
    return apps.every(({state}) => state === 'exited' || state === 'backoff') ? '503' : 'waits'
  }

  #answerAt(port: number): string {
    const process = this.#machine.living.find(({listens}) => listens === port && port !== 0)
    return process === undefined ? '' : `${process.id} ${process.life}`
  }
}
