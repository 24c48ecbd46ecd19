import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {overlap, type Overlapping, type OverlapOptions} from '../../../../src/supervisor/reload/overlap.ts'
import {AppOwner, type AppOwnerOptions} from '../../../../src/supervisor/owner/owner.ts'
import {TestClock} from '../../../rig/clock.ts'

const settle = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const whole = async (): Promise<boolean> => Promise.resolve(true)

/** An app in which a hundred calls of one caller are stuck; `looks`: how often all of them were listed. */
class Stuck {
  readonly name = 'shop'
  readonly plan = {stop: {timeoutMs: 5000}, ready: {timeoutMs: 1000}, channel: {}}
  readonly wanted = this.plan
  round = 0
  readonly app = {state: {phase: 'running', ready: true}, ended: new Promise(() => undefined)}
  readonly queue = new AdmissionQueue({timeoutMs: 1000})
  looks = 0

  constructor() {
    const {queue} = this
    for (let calls = 0; calls < 100; calls++) queue.enter({caller: 'client', method: 'GET', path: '/'})
    const listed = (): unknown => {
      this.looks++
      return Reflect.get(AdmissionQueue.prototype, 'inFlight', queue)
    }
    Object.defineProperty(queue, 'inFlight', {get: listed})
  }

  onMove = () => () => undefined

  async candidate(): Promise<object> {
    const promote = (): object => ({cut: () => undefined, stop: whole})
    return Promise.resolve({app: this.app, ready: whole, healthy: whole, promote, drop: whole})
  }
}

t.test('replace: many calls are cut without a look at all of them for each', async t => {
  const [runtime, clock, warned] = [new Stuck(), new TestClock(), new Array<string>()]
  let cycles = 0
  const options = {
    runtime: Object.assign(runtime, {cutCalls: () => owner.end()}),
    group: () => [],
    clock,
    reporter: {warn: (_: string, text: string) => warned.push(text)},
    callCycle: () => (cycles++, ''),
    letGo: () => whole,
    letGoMs: () => 0,
    finishWork: () => whole,
    resumeWork: () => undefined,
    keepHosted: () => undefined
  }
  const owner = new AppOwner(options as unknown as AppOwnerOptions)
  owner.want('watch')
  const done = owner.reached('settled')
  clock.pass(5000)
  await done
  t.match(warned, [/100 calls were still in flight/])
  t.same([runtime.looks, cycles], [2, 1], 'all have the same caller')
})

t.test('overlap: so are those in the old process', async t => {
  const [runtime, clock] = [new Stuck(), new TestClock()]
  let cut = 0
  const options = {
    runtime,
    signal: new AbortController().signal,
    clock,
    letGo: () => whole,
    letGoMs: () => 0,
    finishWork: () => whole,
    cut: (left: readonly unknown[]) => (cut = left.length)
  }
  await overlap(options as unknown as OverlapOptions<Overlapping>)
  clock.pass(5000)
  await settle()
  t.same([cut, runtime.looks], [100, 2])
})
