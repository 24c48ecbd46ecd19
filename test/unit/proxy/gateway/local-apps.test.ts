import t from 'tap'
import type {Admission, Held} from '../../../../src/proxy/gateway/admission.ts'
import type {Call} from '../../../../src/model/call.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../../src/proxy/gateway/concurrency-limiter.ts'
import {admitTo, type Callee} from '../../../../src/proxy/gateway/local-apps.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {aCall} from '../../../rig/made-call.ts'

const call = aCall({caller: 'a', callee: 'b', method: 'POST', path: '/x.Y/Z', isProxied: true})

const app = (more: Partial<Callee> = {}): Callee => ({
  id: 'b',
  appPort: 7,
  queue: new AdmissionQueue({timeoutMs: 1000}),
  limiter: new ConcurrencyLimiter(() => 1),
  pool: new Pool({hosts: ['127.0.0.1'], port: 7}),
  pid: 0,
  token: '',
  isUnhealthy: false,
  opening: {accessControl: undefined, identity: undefined},
  recheck: () => undefined,
  ...more
})

const settled = async (answer: Admission | Held): Promise<Admission> =>
  'admitted' in answer ? answer.admitted : answer

const leave = (admission: Admission): void => void (admission.ok && admission.leave())

t.test('calls that Dapr only passes on: appMaxConcurrency does not count, nor does the health of the app', async t => {
  const callee = app()
  const admit = (each: Call): Admission | Held => admitTo(callee, each)
  callee.queue.open()
  t.match(admit({...call, isProxied: false}), {ok: true})
  t.match(admit(call), {ok: true})
  t.match(admit({...call, isProxied: false}), {admitted: {}})
  const ill = app({isUnhealthy: true})
  ill.queue.shut('not healthy')
  const admitIll = (each: Call): Admission | Held => admitTo(ill, each)
  t.match(admitIll({...call, isProxied: false}), {ok: false, error: /app is not in a healthy state/})
  t.match(admitIll(call), {ok: true})
})

t.test('a timeout counts the wait for a slot, but not while those before it wait for the app', async t => {
  const callee = app()
  const told: string[] = []
  const admit = (name: string): Admission | Held => {
    const admission = admitTo(callee, {...call, isProxied: false})
    if ('admitted' in admission) admission.onCounted?.(isCounted => told.push(`${name} ${isCounted}`))
    return admission
  }
  callee.queue.hold('it starts')
  const first = admit('first')
  const [second, third] = [admit('second'), admit('third')]
  t.match([second, third], [{isCounted: false}, {isCounted: false}], 'a slot is free once the app takes calls')
  callee.queue.open()
  const running = await settled(first)
  t.same(told, ['second true', 'third true'], 'the first one uses its slot')
  t.match(admit('fourth'), {isCounted: true})
  callee.queue.pause('a reload')
  t.match(admit('fifth'), {isCounted: false})
  told.length = 0
  leave(running)
  t.same(told, ['third false', 'fourth false', 'fifth false', 'second false'])
  told.length = 0
  callee.queue.unpause('a reload')
  leave(await settled(second))
  t.same(told, ['third true', 'fourth true', 'fifth true'])
  leave(await settled(third))
})

t.test('such a call that waits while its app turns out to be unhealthy is let in', async t => {
  let isUnhealthy = false
  const callee = {
    ...app(),
    get isUnhealthy() {
      return isUnhealthy
    }
  }
  callee.queue.hold('its health is not known yet')
  const answer = admitTo(callee, call)
  isUnhealthy = true
  callee.queue.shut('not healthy')
  t.match(await settled(answer), {ok: true})
})

t.test('an app that is down: where it would listen, and why it does not', async t => {
  const callee = app()
  callee.queue.shut('it ended')
  t.match(admitTo(callee, call), {ok: false, down: {address: '127.0.0.1:7', reason: 'it ended'}})
  const reason = '"b" has no appPort: nothing can be called there'
  t.match(admitTo(app({appPort: 0}), call), {
    ok: false,
    error: `rpc error: code = Internal desc = app channel is not initialized (${reason})`,
    down: {address: '127.0.0.1:0', reason}
  })
  t.match(admitTo(app({appPort: 0}), {...call, caller: 'b'}), {
    error: `cannot invoke local endpoint: app channel not initialized (${reason})`
  })
})
