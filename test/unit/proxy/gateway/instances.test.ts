import t from 'tap'
import type {Admission, Admitted, Held} from '../../../../src/proxy/gateway/admission.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../../src/proxy/gateway/concurrency-limiter.ts'
import {admitBy, Instances} from '../../../../src/proxy/gateway/instances.ts'
import type {Callee} from '../../../../src/proxy/gateway/local-apps.ts'
import type {Call} from '../../../../src/model/call.ts'

/** An instance that counts how often it is looked at again; `token` is its name, by which a test knows it. */
interface Instance extends Callee {
  readonly queue: AdmissionQueue
  rechecks: number
}

const instance = (token: string, {isOpen = true, most = 0} = {}): Instance => {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  if (isOpen) queue.open()
  else queue.hold(`${token} starts`)
  const made = {
    id: 'order',
    appPort: 1,
    queue,
    limiter: new ConcurrencyLimiter(() => most),
    pool: {authority: '127.0.0.1:1', protocol: 'http'},
    opening: {},
    token,
    isUnhealthy: false,
    rechecks: 0,
    recheck: () => void made.rechecks++
  }
  return made as unknown as Instance
}

const call = (caller = 'shop'): Call => ({caller, callee: 'order', method: 'GET', path: '/'})

const admitted = (answer: Admission | Held): Admitted => {
  if ('admitted' in answer || !answer.ok) throw new Error('it was not let in')
  return answer
}

const held = (answer: Admission | Held): Held => {
  if (!('admitted' in answer)) throw new Error('it does not wait')
  return answer
}

t.test('calls go round robin over the instances that let in at once', async t => {
  const [a, b, c] = [instance('a'), instance('b'), instance('c')]
  const instances = new Instances([a, b, c])
  const who = (): string => admitted(instances.admit(call())).token
  t.same([who(), who(), who(), who()], ['a', 'b', 'c', 'a'])
  b.queue.pause('a reload')
  t.same([who(), who(), who()], ['c', 'a', 'c'])
  b.queue.unpause('a reload')
  c.queue.shut('it ended')
  t.same([who(), who()], ['a', 'b'], 'one that ended is out at once')
})

t.test('one at its limit is passed over; where all are, the call waits where the fewest wait', async t => {
  const [a, b] = [instance('a', {most: 1}), instance('b', {most: 1})]
  const instances = new Instances([a, b])
  const first = admitted(instances.admit(call()))
  const second = admitted(instances.admit(call()))
  t.same([first.token, second.token], ['a', 'b'])
  const third = held(instances.admit(call()))
  const fourth = held(instances.admit(call()))
  t.same([a.limiter.waiting, b.limiter.waiting], [1, 1])
  first.leave()
  t.match(await third.admitted, {ok: true, token: 'a'})
  second.leave()
  t.match(await fourth.admitted, {ok: true, token: 'b'})
})

t.test('where none is ready a call waits before all, and is let in once', async t => {
  const [a, b, c] = [instance('a', {isOpen: false}), instance('b', {isOpen: false}), instance('c', {isOpen: false})]
  const instances = new Instances([a, b, c])
  const waiting = held(instances.admit(call()))
  t.same([a.queue.waiting, b.queue.waiting], [1, 1])
  a.queue.shut('it ended')
  b.queue.open()
  c.queue.open()
  const answer = await waiting.admitted
  t.match(answer, {ok: true, token: 'b'}, 'one that ends does not end the waiting')
  await new Promise(setImmediate)
  t.same(
    [a, b, c].map(({queue}) => queue.inFlight.size),
    [0, 1, 0],
    'what was let in twice has left again'
  )
})

t.test('a call that waits before all counts its time once it waits for a slot alone', async t => {
  const [a, b] = [instance('a', {isOpen: false, most: 1}), instance('b', {isOpen: false, most: 1})]
  const instances = new Instances([a, b])
  const first = held(instances.admit(call()))
  const second = held(instances.admit(call()))
  let isCounted = second.isCounted === true
  second.onCounted?.(counts => (isCounted = counts))
  t.equal(isCounted, false, 'no app is ready')
  a.queue.open()
  const inFlight = admitted(await first.admitted)
  await new Promise(setImmediate)
  t.equal(isCounted, true, 'one is, and full')
  inFlight.leave()
  t.match(await second.admitted, {ok: true, token: 'a'})
})

t.test('its time does not count any more once the instance of the slot has gone', async t => {
  const [a, b] = [instance('a', {isOpen: false, most: 1}), instance('b', {isOpen: false, most: 1})]
  const instances = new Instances([a, b])
  const first = held(instances.admit(call()))
  const second = held(instances.admit(call()))
  const counted: boolean[] = []
  second.onCounted?.(counts => counted.push(counts))
  b.queue.open()
  const inFlight = admitted(await first.admitted)
  await new Promise(setImmediate)
  t.equal(counted.at(-1), true)
  b.queue.shut('it was stopped')
  inFlight.leave()
  t.equal(counted.at(-1), false, 'the other one still starts')
  a.queue.open()
  t.match(await second.admitted, {ok: true, token: 'a'})
})

t.test('where none will ever be ready, the first says why', async t => {
  const [a, b] = [instance('a', {isOpen: false}), instance('b', {isOpen: false})]
  const instances = new Instances([a, b])
  const waiting = held(instances.admit(call()))
  a.queue.shut('a ended')
  b.queue.shut('b ended')
  t.match(await waiting.admitted, {ok: false, status: 500, error: /\(b ended\)$/}, 'the last one that ended')
  t.match(instances.admit(call()), {ok: false, error: /\(a ended\)$/})
})

t.test('a caller who leaves waits nowhere', async t => {
  const [a, b] = [instance('a', {isOpen: false}), instance('b', {isOpen: false})]
  const waiting = held(new Instances([a, b]).admit(call()))
  waiting.cancel()
  t.same([a.queue.waiting, b.queue.waiting], [0, 0])
  t.match(await waiting.admitted, {ok: false})
})

t.test('where connecting is refused, that instance is looked at again and the next one is asked', async t => {
  const [a, b] = [instance('a'), instance('b')]
  const instances = new Instances([a, b])
  const one = call()
  admitted(instances.admit(one)).leave()
  t.equal(admitted(instances.admit(one, {isRefused: true})).token, 'b')
  t.same([a.rechecks, b.rechecks], [1, 0])
  b.queue.shut('it ended')
  t.equal(admitted(instances.admit(one, {isRefused: true})).token, 'a')
  t.equal(admitted(instances.admit(one, {isRefused: true})).token, 'a', 'there is no other one')
})

t.test('a call of gRPC that is passed on whatever the health enters one of several unhealthy instances', async t => {
  const [a, b, c] = ['a', 'b', 'c'].map(token => ({
    ...instance(token, {isOpen: token !== 'a'}),
    isUnhealthy: token !== 'a'
  }))
  if (a === undefined || b === undefined || c === undefined) throw new Error('there are three')
  for (const {queue} of [b, c]) queue.shut('not healthy')
  const answer = admitted(new Instances([a, b, c]).admit({...call(), isProxied: true}))
  const counts = (): readonly (readonly number[])[] => [a, b, c].map(({queue}) => [queue.waiting, queue.inFlight.size])
  t.same(counts(), [
    [0, 0],
    [0, 1],
    [0, 0]
  ])
  answer.leave()
  t.same(counts().flat(), [0, 0, 0, 0, 0, 0], 'a reload would wait for what is under way')
})

t.test('an instance that calls its own id reaches itself, as long as it lets in', async t => {
  const [a, b] = [instance('a'), instance('b')]
  const instances = new Instances([a, b])
  const who = (): string => admitted(instances.admit(call('order'), {own: b})).token
  t.same([who(), who()], ['b', 'b'])
  b.queue.pause('a reload')
  t.equal(who(), 'a')
  t.same(
    [1, 2, 3, 4].map(() => admitted(instances.admit(call('shop'), {own: b})).token),
    ['a', 'a', 'a', 'a']
  )
  b.queue.unpause('a reload')
  const fromElsewhere = new Set([1, 2].map(() => admitted(instances.admit(call('shop'), {own: b})).token))
  t.same(fromElsewhere, new Set(['a', 'b']), 'who comes from another run is not of its own')
})

t.test('calls to what is one app, several, or none', async t => {
  const [one, a, b] = [instance('one'), instance('a'), instance('b')]
  const all = new Map<string, Callee | Instances>([
    ['one', one],
    ['order', new Instances([a, b])]
  ])
  const admit = admitBy({find: id => all.get(id), elsewhere: () => ({ok: false, status: 500, error: 'elsewhere'})})
  t.match(admit({...call(), callee: 'one'}), {ok: true, token: 'one'})
  t.match(admit({...call(), callee: 'one'}, true), {ok: true, token: 'one'})
  t.equal(one.rechecks, 1)
  t.match([admit(call()), admit(call())], [{token: 'a'}, {token: 'b'}])
  t.match(admit({...call(), callee: 'nobody'}), {error: 'elsewhere'})
})

t.test('a call held by a version that an edit replaces asks the next one, unless its caller goes', async t => {
  const [before, after] = [instance('before', {isOpen: false}), instance('after', {isOpen: false})]
  let found: Callee | undefined = before
  const admit = admitBy({find: () => found, elsewhere: () => ({ok: false, status: 500, error: 'elsewhere'})})
  before.queue.suspend('an edit of the template opens "order" again')
  const [first, early, late] = [held(admit(call())), held(admit(call())), held(admit(call()))]
  t.equal(first.reason, 'an edit of the template opens "order" again')
  early.cancel()
  found = after
  before.queue.close('it is being stopped')
  t.match(await early.admitted, {ok: false})
  await new Promise(setImmediate)
  late.cancel()
  after.queue.open()
  t.match(await first.admitted, {ok: true, token: 'after'})
  t.equal(after.queue.inFlight.size, 1)
  after.queue.hold('it starts')
  const last = held(admit(call()))
  found = undefined
  after.queue.close('it is being stopped')
  t.match(
    await last.admitted,
    {ok: false, error: /it is being stopped/},
    'where no other one answers, that was the reason'
  )
})
