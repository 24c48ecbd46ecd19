import t, {type Test} from 'tap'
import {ActorCalls} from '../../../../../src/dapr/sidecar/blocks/actor-calls.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import type {ActorRequest} from '../../../../../src/work/actor/actor-host.ts'
import {Actors} from '../../../../../src/work/actor/actors.ts'
import {TestHost, types} from '../../../../rig/actor-house.ts'
import {TestClock} from '../../../../rig/clock.ts'

/** A sidecar whose run hosts actors, or may; another run answers `far`, unless it hosts none. */
function openCalls(t: Test, far = true) {
  const house = {mayHost: false, hostWaitMs: 0, asked: 0, failures: [] as string[]}
  const journalOf = (): CallJournal => {
    const journal = {begun: () => undefined, held: () => undefined, failure: ''}
    return Object.assign(journal, {ended: () => house.failures.push(journal.failure)}) as unknown as CallJournal
  }
  const clock = new TestClock()
  const actors = new Actors({clock, mayHost: () => house.mayHost, hostWaitMs: () => house.hostWaitMs, journalOf})
  t.teardown(() => actors.close())
  const body = Buffer.from('far')
  const elsewhere = async () => {
    house.asked++
    return Promise.resolve(far ? {kind: 'done', lines: '', body, isError: false, isCancelled: false} : undefined)
  }
  const access = {load: async () => Promise.resolve(actors), elsewhere}
  const context = {appId: 'shop', instance: 'shop', namespace: '', policies: () => undefined, actors: access}
  const calls = new ActorCalls(context as unknown as BlockContext)
  const call = async (type = 'Cart', onGone: ActorRequest['onStop'] = () => undefined): Promise<string> => {
    const of = {type, id: '1', method: 'add', query: '', lines: '', body: Buffer.alloc(0), reentrancyId: ''}
    const answer = calls.invoke({protocol: 'HTTP/1.1', ...of, onGone})
    return answer.then(
      reply => reply.body.toString(),
      (error: unknown) => String(error)
    )
  }
  return Object.assign(house, {actors, call, clock})
}

t.test('a type that an ended app hosts here is not asked for elsewhere: the other run may ask back', async t => {
  const house = openCalls(t)
  const host = new TestHost('carts')
  house.actors.host(host, types(['Cart']))
  host.state = 'shut'
  t.match(await house.call(), /did not find address/)
  t.equal(house.asked, 0)
  t.match(house.failures, [/did not find address/])
})

t.test('a call that has waited here and is answered by another run has not failed here', async t => {
  const house = openCalls(t)
  house.mayHost = true
  const answer = house.call()
  await new Promise(setImmediate)
  house.mayHost = false
  house.actors.look()
  t.strictSame([await answer, house.asked, house.failures], ['far', 1, []])
})

t.test('a call that no run can answer fails once', async t => {
  const house = openCalls(t, false)
  house.mayHost = true
  const answer = house.call()
  await new Promise(setImmediate)
  house.mayHost = false
  house.actors.look()
  t.match(await answer, /did not find address/)
  t.equal(house.failures.length, 1)
})

t.test('a call that no run can answer waits for a process that has just begun: it may open a stream', async t => {
  const house = openCalls(t, false)
  house.hostWaitMs = 60_000
  const [one, other] = [house.call(), house.call('Order')]
  await new Promise(setImmediate)
  const host = new TestHost('carts')
  house.actors.host(host, types(['Cart']))
  await new Promise(setImmediate)
  t.strictSame(host.inside, ['Cart/1 add'])
  house.hostWaitMs = 0
  house.actors.look()
  t.match(await other, /did not find address for actor 'Order/)
  await host.open[0]?.answer('here')
  t.equal(await one, 'here')
})

t.test('it waits for no process that begins later, and no longer than its caller', async t => {
  const house = openCalls(t, false)
  house.hostWaitMs = 5000
  const leave: (() => void)[] = []
  const [one, gone] = [house.call('Order'), house.call('Cart', listener => void leave.push(listener))]
  await new Promise(setImmediate)
  for (const each of leave) each()
  t.match(await gone, /did not find address/)
  house.actors.host(new TestHost('carts'), types(['Cart']))
  t.strictSame(house.failures.length, 1)
  house.clock.pass(5000)
  house.actors.look()
  t.match(await one, /did not find address for actor 'Order/, 'the process is another one')
})
