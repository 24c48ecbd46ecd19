import t from 'tap'
import {AdmissionQueue, type Permit} from '../../../../src/proxy/gateway/admission-queue.ts'
import {UserError} from '../../../../src/model/errors.ts'
import type {AppState} from '../../../../src/model/app-state.ts'
import type {Reloaded} from '../../../../src/model/events.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {Supervised} from '../../../../src/supervisor/process/supervised.ts'
import type {Candidate} from '../../../../src/supervisor/reload/overlap.ts'
import {Reloads, type Reloadable} from '../../../../src/supervisor/reload/reload.ts'
import {TestClock} from '../../../rig/clock.ts'

const READY: AppState = {phase: 'running', pid: 1, ready: true}

/** What has been promised already is done. */
const settle = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** What comes of something, false once the signal is aborted. */
const until = async (signal: AbortSignal, what: Promise<boolean>): Promise<boolean> =>
  Promise.race([what, new Promise<false>(resolve => signal.addEventListener('abort', () => resolve(false)))])

/** An app that does nothing but what the test says, and writes down what it is asked. */
class FakeRuntime implements Reloadable {
  readonly id = 'shop'
  readonly name = 'shop'
  readonly asked: string[] = []
  readonly queue = new AdmissionQueue({timeoutMs: 60_000})
  plan: AppPlan
  wanted: AppPlan
  state: AppState = READY
  /** How a candidate fares. */
  readonly coming = {ready: Promise.withResolvers<boolean>(), healthy: Promise.withResolvers<boolean>()}
  candidateState: AppState = {phase: 'idle'}
  noCandidate: Error | undefined
  isDebugged = false
  changesHands = false
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
    return {state, restart: why => this.asked.push(`restart: ${why}`)} as Partial<Supervised> as Supervised
  }

  get hasStarted(): boolean {
    return this.state.phase !== 'idle'
  }

  changeHands(): void {
    Object.assign(this, {isDebugged: !this.isDebugged, changesHands: false})
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
    else if (state.phase === 'exited' || state.phase === 'backoff') this.queue.shut('it has ended')
    else this.queue.hold('it starts')
    for (const listener of this.#listeners) listener()
  }

  call(path: string): Permit {
    const permit = this.queue.admit({caller: 'client', method: 'GET', path})
    if (typeof permit === 'string' || 'outcome' in permit) throw new Error(`${path} is not let in`)
    return permit
  }

  renewPool(): void {
    this.asked.push('renew pool')
  }

  cutCalls(): void {
    this.asked.push('cut calls')
  }

  async replace(why: string): Promise<void> {
    this.asked.push(`replace: ${why}`)
    this.plan = this.wanted
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
        ended: new Promise<never>(() => undefined)
      } as Partial<Supervised> as Supervised,
      ready: async signal => until(signal, ready.promise),
      healthy: async signal => until(signal, healthy.promise),
      promote: () => {
        this.asked.push('promote')
        return {cut: () => this.asked.push('cut previous'), stop: async () => void this.asked.push('stop previous')}
      },
      drop: async () => void this.asked.push('drop')
    }
  }
}

const open = (
  reload: AppPlan['reload'] = 'replace',
  letGo: (runtime: FakeRuntime) => Promise<boolean> = async () => Promise.resolve(true)
) => {
  const runtime = new FakeRuntime(reload)
  const clock = new TestClock()
  const told: Reloaded[] = []
  const warned: string[] = []
  const work: string[] = []
  const reloads = new Reloads({
    runtime,
    clock,
    reloaded: what => told.push(what),
    reporter: {warn: (_, text) => warned.push(text)},
    callCycle: () => '',
    letGo: () => async () => letGo(runtime),
    letGoMs: () => 0,
    finishWork: () => async () => {
      work.push('finish')
      return Promise.resolve(true)
    },
    keepHosted: () => work.push('keep'),
    resumeWork: () => work.push('resume')
  })
  return {runtime, clock, reloads, told, warned, work}
}

t.test('replace: calls inside end, the process is restarted, and who waited is let in once it is ready', async t => {
  const {runtime, clock, reloads, told, warned} = open()
  const inside = runtime.call('/old')
  const done = reloads.ask('watch')
  const waiting = runtime.queue.admit({caller: 'client', method: 'GET', path: '/new'})
  await settle()
  t.same(runtime.asked, [], 'a call is inside')
  inside.leave()
  await settle()
  t.same(runtime.asked, ['renew pool', 'restart: watch'])
  runtime.move({phase: 'stopping', pid: 1, why: 'watch'})
  clock.pass(300)
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  t.match(waiting, {outcome: Promise})
  t.match(typeof waiting === 'object' && 'outcome' in waiting && (await waiting.outcome), {leave: Function})
  t.match(told, [{id: 'shop', tookMs: 300, held: 1, lost: 0}])
  t.same(warned, [])
})

t.test('replace: changes that come before the restart are one, one that comes in the middle is another', async t => {
  const {runtime, reloads, told} = open()
  const inside = runtime.call('/old')
  const done = Promise.all([reloads.ask('watch'), reloads.ask('watch')])
  inside.leave()
  await settle()
  t.equal(runtime.asked.filter(change => change.startsWith('restart')).length, 1)
  runtime.move({phase: 'starting', pid: 2})
  const again = reloads.ask('watch')
  await settle()
  t.equal(runtime.asked.filter(change => change.startsWith('restart')).length, 2)
  runtime.move({phase: 'stopping', pid: 2, why: 'watch'})
  runtime.move({phase: 'starting', pid: 3})
  runtime.move(READY)
  await Promise.all([done, again])
  t.equal(told.length, 1)
})

t.test('replace: calls that do not end within the grace are named and cut', async t => {
  const {runtime, clock, reloads, told, warned} = open()
  const stuck = runtime.call('/stream')
  const done = reloads.ask('watch')
  clock.pass(4999)
  await settle()
  t.same(runtime.asked, [])
  clock.pass(1)
  await settle()
  t.match(warned, [
    /^"shop": 1 call was still in flight 5 s after the change and was cancelled: GET \/stream from client$/
  ])
  t.same(runtime.asked, ['cut calls', 'renew pool', 'restart: watch'])
  stuck.leave(true)
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  t.match(told, [{lost: 1}])
})

t.test('replace: an app that does not come up again is told, with the calls that it cost', async t => {
  const {runtime, reloads, told, warned} = open()
  const done = reloads.ask('watch')
  await settle()
  const waiting = runtime.queue.admit({caller: 'client', method: 'GET', path: '/new'})
  runtime.move({phase: 'starting', pid: 2})
  runtime.move({phase: 'exited', exit: {kind: 'code', code: 1}, asked: false})
  await done
  t.equal(typeof waiting === 'object' && 'outcome' in waiting && (await waiting.outcome), 'it has ended')
  t.same(warned, ['"shop" did not become ready after the reload; 1 of 1 queued calls were rejected'])
  t.same(told, [])
})

t.test('replace: one that has ended is started anew, one that was never started is left alone', async t => {
  const {runtime, reloads} = open()
  runtime.move({phase: 'exited', exit: undefined, asked: true})
  const done = reloads.ask('user')
  await settle()
  t.same(runtime.asked, ['renew pool', 'replace: user'])
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  const other = open()
  other.runtime.state = {phase: 'idle'}
  await other.reloads.ask('watch')
  t.same(other.runtime.asked, [])
})

t.test(
  'replace: workers get nothing more until the process is exchanged, or is not: a debugger has it, or there is none',
  async t => {
    const {runtime, reloads, work} = open()
    const done = reloads.ask('watch')
    await settle()
    runtime.move({phase: 'starting', pid: 2})
    t.same(work, ['finish'])
    runtime.move(READY)
    await done
    t.same(work, ['finish', 'resume'])
    const debugged = open()
    Object.assign(debugged.runtime, {isDebugged: true})
    await debugged.reloads.ask('watch')
    t.same(debugged.work, ['finish', 'resume'])
  }
)

t.test('nothing is started after the end, whatever was waited for', async t => {
  const {runtime, clock, reloads} = open()
  runtime.call('/stream')
  const done = reloads.ask('watch')
  reloads.end()
  await done
  await reloads.ask('watch')
  clock.pass(60_000)
  t.same(runtime.asked, [])
  t.doesNotThrow(() => runtime.call('/again'), 'its pause is over')
})

t.test(
  'overlap: no call waits; the new process takes over when it is ready and healthy, the old one is drained',
  async t => {
    const {runtime, clock, reloads, told, work} = open('overlap')
    const inside = runtime.call('/old')
    const done = reloads.ask('watch')
    clock.pass(200)
    runtime.coming.ready.resolve(true)
    await settle()
    t.same(runtime.asked, ['candidate'])
    runtime.call('/meanwhile').leave()
    runtime.coming.healthy.resolve(true)
    await done
    t.same(runtime.asked, ['candidate', 'promote'])
    t.match(told, [{id: 'shop', tookMs: 200, held: 0, lost: 0}])
    inside.leave()
    await settle()
    t.same(runtime.asked.slice(2), ['stop previous'])
    t.same(work, ['finish', 'resume'], 'what its workers have in hand is waited for, too')
  }
)

t.test('overlap: work goes on when all old processes have ended, not while a later one is still finishing', async t => {
  for (const next of ['overlap', 'replace'] as const) {
    const {runtime, reloads, work} = open('overlap')
    runtime.coming.ready.resolve(true)
    runtime.coming.healthy.resolve(true)
    const first = runtime.call('/first')
    await reloads.ask('watch')
    const second = runtime.call('/second')
    if (next === 'replace') runtime.wanted = {...runtime.plan}
    const done = reloads.ask('watch')
    await settle()
    first.leave()
    await settle()
    t.same(work, ['finish', 'finish'], `${next}: the second still finishes its own`)
    second.leave()
    await settle()
    reloads.end()
    await done
    await settle()
    t.same(work, ['finish', 'finish', 'resume'], next)
  }
})

t.test('overlap: calls in the old process are cut after its grace', async t => {
  const {runtime, clock, reloads, warned} = open('overlap')
  runtime.call('/stream')
  const done = reloads.ask('watch')
  runtime.coming.ready.resolve(true)
  runtime.coming.healthy.resolve(true)
  await done
  clock.pass(5000)
  await settle()
  t.match(warned, [/cancelled: GET \/stream from client/])
  t.same(runtime.asked.slice(2), ['cut previous', 'stop previous'])
})

t.test('overlap: a new process that ends, or is not healthy in time, leaves the old one where it is', async t => {
  const ended = open('overlap')
  ended.runtime.candidateState = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
  ended.runtime.coming.ready.resolve(false)
  await ended.reloads.ask('watch')
  t.same(ended.runtime.asked, ['candidate', 'drop'])
  t.match(ended.warned, [/^the new process of "shop" .*3.*: the old process continues$/])
  const ill = open('overlap')
  ill.runtime.candidateState = READY
  const done = ill.reloads.ask('watch')
  ill.runtime.coming.ready.resolve(true)
  await settle()
  ill.clock.pass(60_000)
  await done
  t.same(ill.runtime.asked, ['candidate', 'drop'])
  t.match(ill.reloads.failure, /was not healthy within 60 s: the old process continues$/)
  ill.runtime.coming.healthy.resolve(true)
  t.equal(await ill.reloads.ask('watch').then(() => ill.reloads.failure), '', 'the next one has taken over')
  const late = open('overlap', async runtime => {
    if (runtime.asked.includes('promote'))
      runtime.candidateState = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
    return Promise.resolve(true)
  })
  late.runtime.call('/drained meanwhile')
  late.runtime.coming.ready.resolve(true)
  late.runtime.coming.healthy.resolve(true)
  await late.reloads.ask('watch')
  await late.reloads.ask('watch')
  t.same(late.runtime.asked.slice(2), ['candidate', 'drop'], 'it ended while the old one let its actors go')
  t.same(late.work, ['finish', 'keep'], 'which stay, though the one before is still drained')
})

t.test(
  'overlap: where there is no port for a new process, the old one stays, and the next change tries again',
  async t => {
    const {runtime, reloads, warned} = open('overlap')
    runtime.noCandidate = new UserError('no port is free for it', {explanation: 'End programs.'})
    await reloads.ask('watch')
    t.same(warned, ['no port is free for it: the old process continues. End programs.'])
    await reloads.ask('watch')
    t.same(runtime.asked, ['candidate', 'candidate'])
    runtime.noCandidate = new Error('a defect')
    await t.rejects(reloads.ask('watch'), {message: 'a defect'})
  }
)

t.test('overlap: the next change, or the end, makes a candidate unwanted without a word', async t => {
  const {runtime, reloads, warned} = open('overlap')
  const done = reloads.ask('watch')
  await settle()
  void reloads.ask('watch')
  await settle()
  t.same(runtime.asked, ['candidate', 'drop', 'candidate'])
  reloads.end()
  await done
  t.same(runtime.asked.slice(3), ['drop'])
  t.same(warned, [])
})

t.test('an app goes to a debugger once its calls have ended, also during a reload; then saves do nothing', async t => {
  const {runtime, reloads, told} = open()
  const first = reloads.ask('watch')
  await settle()
  t.same(runtime.asked, ['renew pool', 'restart: watch'])
  runtime.changesHands = true
  const done = reloads.ask('user')
  await Promise.all([first, done])
  t.same(runtime.asked.slice(2), ['hand over', 'renew pool', 'replace: user'])
  await reloads.ask('watch')
  t.equal(runtime.asked.length, 5)
  runtime.changesHands = true
  const back = reloads.ask('user')
  await settle()
  t.same(runtime.asked.slice(5), ['take back', 'renew pool', 'replace: user'])
  runtime.move({phase: 'starting', pid: 3})
  runtime.move(READY)
  await back
  t.equal(told.length, 1, 'of the two reloads the one that came up')
})
