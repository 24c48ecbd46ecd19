import {AdmissionQueue, type Permit} from '../../../../src/proxy/gateway/admission-queue.ts'
import type {AppState, Why} from '../../../../src/model/app-state.ts'
import type {Reloaded} from '../../../../src/model/events.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {Supervised} from '../../../../src/supervisor/process/supervised.ts'
import type {Candidate} from '../../../../src/supervisor/reload/candidate.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import type {Idle, Intent} from '../../../../src/supervisor/owner/next-step.ts'
import {AppOwner, type AppOwnerOptions} from '../../../../src/supervisor/owner/owner.ts'
import {TestClock} from '../../../rig/clock.ts'

export const READY: AppState = {phase: 'running', pid: 1, ready: true}

/** Waits until promises that are resolved already have their effect. */
export const settle = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Resolves as a promise does, or with false once the signal is aborted. */
const until = async (signal: AbortSignal, what: Promise<boolean>): Promise<boolean> =>
  Promise.race([what, new Promise<false>(resolve => signal.addEventListener('abort', () => resolve(false)))])

/** An app that moves as the test says, and notes its commands. */
export class FakeRuntime {
  readonly id = 'shop'
  readonly name: string = 'shop'
  round = 0
  idle: Idle = {kind: 'no'}
  readonly asked: string[] = []
  readonly queue = new AdmissionQueue({timeoutMs: 60_000})
  plan: AppPlan
  wanted: AppPlan
  state: AppState = READY
  /** States that a candidate reaches. */
  readonly coming = {ready: Promise.withResolvers<boolean>(), healthy: Promise.withResolvers<boolean>()}
  candidateState: AppState = {phase: 'idle'}
  readonly candidateEnded = Promise.withResolvers<AppState>()
  noCandidate: Error | undefined
  /** Settles when the process that `replace` ends has ended. */
  ending: Promise<void> = Promise.resolve()
  /** Settles when the process that a candidate has replaced has ended. */
  ended: Promise<void> = Promise.resolve()
  isDebugged = false
  isGivenUp = false
  isStopped = false
  closing: Intent['closing'] = 'no'
  runEnds = false
  leaves = false
  person: Intent['person'] = 'none'
  request: Intent['request'] = 'no'
  hasOtherStarter = false
  readonly #listeners = new Set<() => void>()

  constructor(reload: AppPlan['reload'] = 'replace') {
    this.plan = {
      reload,
      command: ['shop'],
      channel: {autoPort: true},
      ready: {timeoutMs: 60_000},
      stop: {timeoutMs: 5000}
    } as unknown as AppPlan
    this.wanted = this.plan
    this.queue.open()
  }

  get app(): Supervised {
    const {state} = this
    return {state} as Partial<Supervised> as Supervised
  }

  get hasStarted(): boolean {
    return this.state.phase !== 'idle'
  }

  get sleep(): object {
    const isAsleep = this.state.phase === 'asleep'
    const wake = (cause: string): boolean => {
      this.asked.push(`wake: ${cause}`)
      return isAsleep
    }
    return {isAsleep, wake}
  }

  fallAsleep(): void {
    this.asked.push('fallAsleep')
  }

  applyStarter(): void {
    Object.assign(this, {isDebugged: !this.isDebugged, hasOtherStarter: false})
    this.asked.push(this.isDebugged ? 'hand over' : 'take back')
  }

  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The app moves, and its queue with it. */
  move(state: AppState): void {
    this.state = state
    if (state.phase === 'running' && state.ready) this.queue.open()
    else if (state.phase === 'exited') this.queue.shut('it has ended')
    else this.queue.hold('it starts')
    for (const listener of this.#listeners) listener()
  }

  call(path: string): Permit {
    const permit = this.queue.admit({caller: 'client', method: 'GET', path})
    if (typeof permit === 'string' || 'outcome' in permit) throw new Error(`${path} is not let in`)
    return permit
  }

  cutCalls(): void {
    this.asked.push('cut calls')
  }

  get isNextDifferent(): boolean {
    return this.wanted !== this.plan || this.hasOtherStarter
  }

  async replace(why: string, starting: () => void): Promise<void> {
    if (this.hasOtherStarter) this.applyStarter()
    this.asked.push(`replace: ${why}`)
    this.plan = this.wanted
    await this.ending
    starting()
  }

  async candidate(): Promise<Candidate> {
    this.asked.push('candidate')
    if (this.noCandidate !== undefined) throw this.noCandidate
    const {ready, healthy} = this.coming
    const state = (): AppState => this.candidateState
    return {
      app: {
        get state() {
          return state()
        },
        ended: this.candidateEnded.promise
      } as Partial<Supervised> as Supervised,
      ready: async signal => until(signal, ready.promise),
      healthy: async signal => until(signal, healthy.promise),
      promote: () => {
        this.asked.push('promote')
        const stop = async (): Promise<void> => {
          this.asked.push('stop previous')
          await this.ended
        }
        return {cut: () => this.asked.push('cut previous'), stop}
      },
      drop: async () => void this.asked.push('drop')
    }
  }
}

/** The owner of an app; `options` replaces what it is given otherwise. */
export const ownerOf = (
  runtime: FakeRuntime,
  clock: TestClock,
  warned: string[],
  group: () => readonly AppOwner[],
  options: Partial<AppOwnerOptions> = {}
): AppOwner =>
  new AppOwner({
    runtime: runtime as unknown as AppRuntime,
    group,
    clock,
    reloaded: () => undefined,
    reporter: {warn: (_, text) => text.includes('queued') || warned.push(text)},
    callCycle: () => '',
    letGo: () => async () => Promise.resolve(true),
    letGoMs: () => 0,
    finishWork: () => async () => Promise.resolve(true),
    keepHosted: () => undefined,
    resumeWork: () => undefined,
    open: async () => undefined,
    queue: async () => undefined,
    ...options
  })

export const open = (
  reload: AppPlan['reload'] = 'replace',
  letGo: (runtime: FakeRuntime) => Promise<boolean> = async () => Promise.resolve(true)
) => {
  const runtime = new FakeRuntime(reload)
  const clock = new TestClock()
  const told: Reloaded[] = []
  const warned: string[] = []
  const work: string[] = []
  const owner: AppOwner = ownerOf(runtime, clock, warned, () => [owner], {
    reloaded: what => told.push(what),
    reporter: {warn: (_, text) => warned.push(text)},
    letGo: () => async () => letGo(runtime),
    finishWork: () => async () => Promise.resolve(work.push('finish') > 0),
    keepHosted: () => work.push('keep'),
    resumeWork: () => work.push('resume')
  })
  const reloads = {
    ask: async (why: Why): Promise<void> => {
      owner.want(why)
      return owner.reached('settled')
    },
    end: () => owner.end(),
    get failure() {
      return owner.failure
    }
  }
  return {runtime, clock, owner, reloads, told, warned, work}
}
