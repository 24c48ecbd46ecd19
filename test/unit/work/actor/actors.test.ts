import t from 'tap'
import {TestClock} from '../../../rig/clock.ts'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

const settled = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('one call at a time in each actor, in order of arrival; other actors run beside it', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart', 'Order']))
  const calls = [
    call('Cart/1', 'a'),
    call('Cart/1', 'b'),
    call('Cart/2', 'c'),
    call('Order/1', 'd'),
    call('Cart/1', 'e')
  ]
  t.strictSame(host.inside, ['Cart/1 a', 'Cart/2 c', 'Order/1 d'])
  await host.open[0]?.answer('', {kind: 'failed', status: 500, text: 'no'})
  t.strictSame(host.inside, ['Cart/2 c', 'Order/1 d', 'Cart/1 b'], 'a failed call lets the next one in')
  while (host.open.length > 0) await host.open[0]?.answer('ok')
  t.strictSame(await Promise.all(calls.map(async each => each.outcome)), ['failed', 'ok', 'ok', 'ok', 'ok'])
})

t.test('a caller that leaves is out of the queue, and ends the call of the app', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const [a, b, c] = [call('Cart/1', 'a'), call('Cart/1', 'b'), call('Cart/1', 'c')]
  b.leave()
  a.leave()
  await settled()
  t.strictSame(host.inside, ['Cart/1 c'])
  await host.open[0]?.answer('c')
  t.match(await Promise.all([a.outcome, b.outcome, c.outcome]), [/^gone/, /^gone/, 'c'])
})

t.test('a chain enters again, up to its depth; what comes from elsewhere waits', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart'], {isReentrant: true, maxDepth: 2}))
  const first = call('Cart/1', 'a', {chain: 'x'})
  const again = call('Cart/1', 'b', {chain: 'x'})
  t.equal(await call('Cart/1', 'c', {chain: 'x'}).outcome, 'depth: maximum stack depth exceeded')
  const other = call('Cart/1', 'd')
  t.strictSame(host.inside, ['Cart/1 a', 'Cart/1 b'])
  await host.open[1]?.answer('b')
  t.strictSame(host.inside, ['Cart/1 a'])
  await host.open[0]?.answer('a')
  t.strictSame(host.inside, ['Cart/1 d'])
  t.match(host.open[0]?.request.reentrancyId, /^[0-9a-f-]{36}$/, 'a call without an id gets one')
  await host.open[0]?.answer('d')
  t.strictSame(await Promise.all([first, again, other].map(async each => each.outcome)), ['a', 'b', 'd'])
})

t.test('without reentrancy an actor that calls itself waits', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  void call('Cart/1', 'a', {chain: 'x'})
  const again = call('Cart/1', 'b', {chain: 'x'})
  t.strictSame(host.inside, ['Cart/1 a'])
  again.leave()
  await host.open[0]?.answer()
  t.equal(host.open.length, 0)
})

t.test('an idle actor is let go, never during a call; the next call waits until that is done', async t => {
  const {actors, call, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart'], {idleMs: 1000}))
  void call('Cart/1', 'a')
  clock.pass(5000)
  t.strictSame(host.gone, [])
  await host.open[0]?.answer()
  clock.pass(600)
  void call('Cart/1', 'b')
  await host.open[0]?.answer()
  clock.pass(600)
  t.strictSame(host.gone, [], 'a call begins its time anew')
  t.ok(actors.table.isActiveAt('carts', 'Cart', '1'))
  const left = Promise.withResolvers<void>()
  host.letGo = left.promise
  clock.pass(500)
  t.strictSame(host.gone, ['Cart/1'])
  t.ok(actors.table.isActiveAt('carts', 'Cart', '1'), 'it may save its state')
  const next = call('Cart/1', 'c')
  t.strictSame(host.inside, [])
  left.resolve()
  await settled()
  t.strictSame(host.inside, ['Cart/1 c'])
  await host.open[0]?.answer('c')
  t.equal(await next.outcome, 'c')
})

t.test('nobody hosts a type: at once if all have told, else when they have, or after the time of a hold', async t => {
  const house = openActorHouse()
  const {actors, call, clock} = house
  t.equal(await call('Cart/1', 'a').outcome, "unhosted: did not find address for actor 'Cart/1'")
  house.mayHost = true
  const [b, c] = [call('Cart/1', 'b'), call('Cart/2', 'c')]
  const host = new TestHost('orders')
  house.mayHost = false
  actors.host(host, types(['Order']))
  t.match(await Promise.all([b.outcome, c.outcome]), [
    "unhosted: did not find address for actor 'Cart/1'",
    "unhosted: did not find address for actor 'Cart/2'"
  ])
  house.mayHost = true
  const d = call('Cart/1', 'd')
  clock.pass(10_000)
  t.match(await d.outcome, /^late: Cart\/1: waited 10 s; /)
  t.equal(actors.table.find('Cart', '1'), undefined, 'nothing is kept of it')
})

t.test('calls behind a firing that waits without a limit have the time of a hold each, not checked before', async t => {
  class Counting extends TestClock {
    timers = 0
    override after(...given: Parameters<TestClock['after']>): () => void {
      if (++this.timers > 100) throw new Error('a timer after the other, without a pause')
      return super.after(...given)
    }
  }
  const clock = new Counting()
  const house = openActorHouse(clock)
  const {actors, call} = house
  house.mayHost = true
  const work = {kind: 'reminder', name: 'r', callback: '', dueTime: '', period: '', data: undefined} as const
  const request = {type: 'Cart', id: '1', work, caller: undefined, reentrancyId: '', onStop: () => undefined}
  const fired = actors.run(request, {isPatient: true})
  clock.pass(50_000)
  const first = call('Cart/1', 'a')
  clock.pass(30_000)
  const second = call('Cart/1', 'b')
  clock.pass(30_000)
  t.match(await first.outcome, /^late: Cart\/1: waited 60 s; /)
  clock.pass(30_000)
  t.match(await second.outcome, /^late: Cart\/1: waited 60 s; /)
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  t.strictSame(host.inside, ['Cart/1 r'])
  await host.open[0]?.answer('')
  t.match(await fired, {kind: 'done'})
})

t.test('a process that is replaced: turns end, actors leave, the queues go on in order with the next', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const calls = ['a', 'b', 'c'].map(method => call('Cart/1', method))
  const idle = call('Cart/2', 'i')
  await host.open[1]?.answer('i')
  const retired = actors.retire('carts', new AbortController().signal)
  await settled()
  t.strictSame([host.inside, host.gone], [['Cart/1 a'], ['Cart/2']], 'the turn may end')
  host.isBusy = true
  const nested = call('Cart/2', 'n', {caller: host})
  t.strictSame(host.inside, ['Cart/1 a', 'Cart/2 n'], 'what the process waits for is let in')
  await host.open[1]?.answer('n')
  await host.open[0]?.answer('a')
  t.equal(await retired, true)
  t.strictSame(host.inside, [])
  t.strictSame(host.gone.toSorted(), ['Cart/1', 'Cart/2', 'Cart/2'])
  host.state = 'held'
  actors.lost(host)
  host.state = 'open'
  actors.host(host, types(['Cart']))
  actors.resume('carts')
  t.strictSame(host.inside, ['Cart/1 b'])
  await host.open[0]?.answer('b')
  await host.open[0]?.answer('c')
  t.strictSame(await Promise.all([...calls, idle, nested].map(async each => each.outcome)), ['a', 'b', 'c', 'i', 'n'])
})

t.test('a process that dies: the call inside fails, others wait for the next, or fail without its type', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart', 'Order']))
  const [a, b, c] = [call('Cart/1', 'a'), call('Cart/1', 'b'), call('Order/1', 'c')]
  host.state = 'held'
  actors.lost(host)
  await host.open[0]?.answer('', {kind: 'lost', why: 'EOF', wasSent: true})
  t.strictSame([await a.outcome, host.inside, host.gone], ['lost', ['Order/1 c'], []])
  await host.open[0]?.answer('', {kind: 'lost', why: 'EOF', wasSent: true})
  await c.outcome
  host.state = 'open'
  actors.host(host, types(['Order']))
  t.equal(await b.outcome, "unhosted: did not find address for actor 'Cart/1'")
})

t.test('a call that the next process takes over has its actor as long as it takes, without a place', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const [a, b] = [call('Cart/1', 'a'), call('Cart/1', 'b')]
  for (let times = 0; times < 2; times++) {
    actors.lost(host)
    actors.host(host, types(['Cart']))
    t.ok(actors.table.isActiveAt('carts', 'Cart', '1'), 'it may write its state')
    t.strictSame(host.inside, ['Cart/1 a'])
  }
  await host.open[0]?.answer('a')
  t.strictSame([await a.outcome, host.inside], ['a', ['Cart/1 b']])
  host.state = 'held'
  actors.lost(host)
  await host.open[0]?.answer('', {kind: 'lost', why: 'EOF', wasSent: true})
  t.equal(await b.outcome, 'lost')
  t.notOk(actors.table.isActiveAt('carts', 'Cart', '1'), 'with nobody inside it is not active')
})

t.test('an id lives at one instance until it is let go; a restart finds the same one', async t => {
  const {actors, call} = openActorHouse()
  const hosts = ['carts', 'carts.2', 'carts.3'].map(name => new TestHost('carts', name))
  for (const host of hosts) actors.host(host, types(['Cart']))
  const placeOf = async (id: string): Promise<string> => {
    void call(`Cart/${id}`, 'a')
    const host = hosts.find(({open}) => open.length > 0)
    await host?.open[0]?.answer()
    return host?.instance ?? ''
  }
  const ids = Array.from({length: 300}, (_, at) => `${at}`)
  const places: string[] = []
  for (const id of ids) places.push(await placeOf(id))
  for (const {instance} of hosts) t.ok(places.filter(each => each === instance).length > 70, 'they are spread')
  const again: string[] = []
  for (const id of ids) again.push(await placeOf(id))
  t.strictSame(again, places)
  const [first] = hosts
  if (first === undefined) return
  await actors.retire(first.instance, new AbortController().signal)
  const moved: string[] = []
  for (const id of ids) moved.push(await placeOf(id))
  t.strictSame(
    moved.filter((place, at) => place !== places[at]).length,
    places.filter(each => each === 'carts').length,
    'only those that were there have moved'
  )
})

t.test('ten thousand actors are forgotten when they are let go', async t => {
  const {actors, call, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart'], {idleMs: 1000}))
  for (let id = 0; id < 10_000; id++) void call(`Cart/${id}`, 'a')
  await Promise.all([...host.open].map(async ({answer}) => answer()))
  t.strictSame([...(actors.table.hostedAt('carts')?.active ?? [])], [['Cart', 10_000]])
  clock.pass(1000)
  await settled()
  await settled()
  t.equal(host.gone.length, 10_000)
  t.equal(actors.table.types[0]?.actors.size, 0)
})

t.test('of firings that wait for a host nothing is asked again until there is one', async t => {
  const {actors} = openActorHouse()
  let asked = 0
  const work = {kind: 'reminder', name: 'r', callback: '', dueTime: '', period: '', data: undefined} as const
  const fired = Array.from({length: 100}, async (_, n) =>
    actors.run(
      {type: 'Cart', id: String(n), work, caller: undefined, reentrancyId: '', onStop: () => undefined},
      {isPatient: true, isWanted: () => ++asked > 0}
    )
  )
  asked = 0
  for (let look = 0; look < 10; look++) actors.look()
  t.equal(asked, 0)
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  t.equal(host.open.length, 100)
  t.equal(asked, 100)
  while (host.open.length > 0) await host.open[0]?.answer('ok')
  t.equal((await Promise.all(fired)).length, 100)
})

t.test('two that let the actors of a process go, as it is reloaded and ill, are both told', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  void call('Cart/1', 'a')
  const told: string[] = []
  const letGo = (name: string, signal = new AbortController().signal): void =>
    void actors.retire('carts', signal).then(isDone => told.push(`${name} ${isDone}`))
  const over = new AbortController()
  for (const [name, signal] of [
    ['reload', undefined],
    ['check', over.signal],
    ['another', undefined]
  ] as const) {
    letGo(name, signal)
    await settled()
  }
  over.abort()
  await settled()
  await host.open[0]?.answer('a')
  for (let turns = 0; turns < 5; turns++) await settled()
  t.strictSame(told.toSorted(), ['another true', 'check false', 'reload true'])
})

t.test('letting go ends at once if it is no longer wanted as it begins to wait', async t => {
  const {actors, call} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  void call('Cart/1', 'a')
  const over = new AbortController()
  const retired = actors.retire('carts', over.signal)
  over.abort()
  t.equal(await Promise.race([retired, settled().then(() => 'it waits')]), false)
})

t.test('an app may report a part of a millisecond for the end of its turns', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const host = new TestHost('carts')
  actors.host(host, types(['Cart'], {drainMs: 1.5}))
  void call('Cart/1', 'a')
  const ended = actors.end('carts', 5000, new AbortController().signal)
  const keepsRunning = setTimeout(() => undefined, 60_000)
  await ended
  clearTimeout(keepsRunning)
  t.strictSame(host.inside, ['Cart/1 a'], 'it is not waited for')
})
