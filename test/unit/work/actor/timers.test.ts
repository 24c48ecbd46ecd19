import t from 'tap'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

const WISH = {dueTime: '1s', period: '1s', ttl: '', callback: '', data: undefined}

t.test('timers of actors whose names read alike are several', t => {
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
  t.end()
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

t.test(
  'a timer that is set again is replaced, also during a firing; it ends with the sidecar where it was set',
  async t => {
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
  }
)
