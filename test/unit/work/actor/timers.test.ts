import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'
import {SetClock} from '../../../rig/clock.ts'

const WISH = {dueTime: '1s', period: '1s', ttl: '', callback: '', data: undefined}

t.test('timers of actors whose names read alike are several', async t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart', 'Cart||a']))
  const names = [
    {type: 'Cart', id: 'a||b', name: 'c'},
    {type: 'Cart', id: 'a', name: 'b||c'},
    {type: 'Cart||a', id: 'b', name: 'c'}
  ]
  for (const name of names) actors.timers.set(name, WISH, 'carts')
  clock.pass(1000)
  t.strictSame(host.inside.toSorted(), ['Cart/a b||c', 'Cart/a||b c', 'Cart||a/b c'])
  actors.timers.delete({type: 'Cart', id: 'a', name: 'b||c'})
  t.strictSame(actors.timers.of('Cart', 'a||b'), [names[0]])
  actors.close()
})

t.test('a timer that its actor cancels does not fire again', async t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const name = {type: 'Cart', id: '1', name: 'tick'}
  actors.timers.set(name, WISH, 'carts')
  clock.pass(1000)
  await host.open[0]?.answer()
  t.strictSame(actors.timers.of('Cart', '1'), [name])
  clock.pass(1000)
  await host.open[0]?.answer('', {isCancelled: true})
  t.strictSame(actors.timers.of('Cart', '1'), [])
  actors.close()
})

const TICK = {type: 'Cart', id: '1', name: 'tick'}

/** Sets a timer, and tells how many firings come in so many seconds; each is answered at once. */
async function firings(wish: object, seconds: number): Promise<readonly number[]> {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const from = clock.now()
  actors.timers.set(TICK, {...WISH, dueTime: '', period: '', ...wish}, 'carts')
  const times: number[] = []
  for (let tenth = 0; tenth <= seconds * 10; tenth++) {
    clock.pass(tenth === 0 ? 0 : 100)
    for (; host.open.length > 0; await host.open[0]?.answer()) times.push((clock.now() - from) / 1000)
  }
  t.strictSame(actors.timers.of('Cart', '1').length > 0, times.length > 0 && isSeries(wish))
  actors.close()
  return times
}

const isSeries = (wish: {readonly period?: string; readonly ttl?: string}): boolean =>
  wish.period === '1s' && wish.ttl === undefined

t.test('when a timer fires: due time, period, repetitions, and time to live from the due time on', async t => {
  t.strictSame(await firings({}, 3), [0], 'at once, once')
  t.strictSame(await firings({dueTime: '1s'}, 3), [1])
  t.strictSame(await firings({period: '1s'}, 3), [0, 1, 2, 3], 'without a due time at once')
  t.strictSame(await firings({dueTime: '2s', period: 'R3/PT1S'}, 6), [2, 3, 4], 'three in all')
  t.strictSame(await firings({dueTime: '1s', period: '0s'}, 3), [1])
  t.strictSame(await firings({dueTime: '1s', period: 'R2'}, 3), [1])
  t.strictSame(await firings({dueTime: '1s', period: '1s', ttl: '2s'}, 6), [1, 2], 'none at its end, or after it')
  t.strictSame(await firings({dueTime: '1s', period: '1s', ttl: '0s'}, 3), [], 'none where it ends as it begins')
  t.strictSame(await firings({dueTime: '-1s'}, 3), [0])
})

t.test('firings of a timer never overlap: the next one is reckoned from the plan, once the last has ended', async t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  actors.timers.set(TICK, WISH, 'carts')
  clock.pass(1000)
  clock.pass(1500)
  t.equal(host.open.length, 1, 'it takes longer than the period')
  await host.open[0]?.answer('', {kind: 'failed', status: 500, text: 'no'})
  clock.pass(0)
  t.equal(host.open.length, 1, 'a failure is a firing: the next one was due at 2 s')
  await host.open[0]?.answer()
  clock.pass(400)
  t.equal(host.open.length, 0)
  clock.pass(100)
  t.equal(host.open.length, 1, 'and at 3 s')
  await host.open[0]?.answer()
  actors.close()
})

t.test('a timer that is set again is replaced, also during a firing; it ends with its own sidecar', async t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  actors.timers.set(TICK, WISH, 'carts')
  clock.pass(1000)
  actors.timers.set(TICK, {...WISH, dueTime: '5s', period: ''}, 'shop')
  await host.open[0]?.answer()
  clock.pass(4900)
  t.equal(host.open.length, 0, 'the old one has no more firings')
  clock.pass(100)
  t.equal(host.open.length, 1)
  await host.open[0]?.answer()
  t.strictSame(actors.timers.of('Cart', '1'), [])
  actors.timers.set(TICK, WISH, 'shop')
  actors.timers.leave('carts')
  t.strictSame(actors.timers.of('Cart', '1'), [TICK])
  actors.timers.leave('shop')
  clock.pass(10_000)
  t.equal(host.open.length, 0)
  actors.close()
})

t.test('a timer keeps its pace when somebody sets the clock back', async t => {
  const clock = new SetClock()
  const {actors} = openActorHouse(clock)
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  actors.timers.set(TICK, WISH, 'carts')
  clock.pass(1000)
  clock.set(-3_600_000)
  await host.open[0]?.answer()
  clock.pass(1000)
  t.equal(host.open.length, 1)
  actors.close()
})

/** How many of these objects are still in memory. */
const leftOf = async (all: readonly WeakRef<object>[]): Promise<number> => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let round = 0; round < 3; round++) {
    await new Promise(setImmediate)
    collect()
  }
  return all.filter(each => each.deref() !== undefined).length
}

t.test('timers that are set again, and actors of processes that have ended, do not stay until their time', async t => {
  const {actors, call} = openActorHouse()
  const requests: WeakRef<object>[] = []
  for (let n = 0; n < 1000; n++) {
    const request = {...WISH, dueTime: '24h'}
    requests.push(new WeakRef(request))
    actors.timers.set(TICK, request, 'carts')
  }
  const left = await leftOf(requests)
  t.ok(left < 300, `${left} of 1000 timers`)
  const gone: WeakRef<object>[] = []
  const host = new TestHost('carts')
  for (let n = 0; n < 1000; n++) {
    actors.host(host, types(['Cart']))
    const answered = call('Cart/1', 'add')
    const actor = actors.table.find('Cart', '1')
    if (actor !== undefined) gone.push(new WeakRef(actor))
    await host.open[0]?.answer()
    await answered.outcome
    actors.lost(host)
  }
  const kept = await leftOf(gone)
  t.ok(kept < 300, `${kept} of ${gone.length} actors`)
  actors.close()
})
