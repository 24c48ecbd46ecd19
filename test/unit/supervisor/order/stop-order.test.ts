import t from 'tap'
import {stopInOrder} from '../../../../src/supervisor/order/stop-order.ts'
import {stopLevels} from '../../../../src/model/stop-levels.ts'
import {TestClock} from '../../../rig/clock.ts'

const settle = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Apps that end when the test says so, by the ids that each depends on. */
function scene(dependsOn: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = []
  const ends = new Map(Object.keys(dependsOn).map(id => [id, Promise.withResolvers<void>()]))
  const apps = Object.entries(dependsOn).map(([id, ids]) => ({
    plan: {id, dependsOn: ids.map(each => ({id: each, until: 'ready'}) as const)},
    stop: async () => {
      asked.push(id)
      await ends.get(id)?.promise
    }
  }))
  return {asked, apps, end: (id: string) => ends.get(id)?.resolve()}
}

const CHAIN = {page: ['shop'], shop: ['db'], db: [], mail: []}

const ids = (dependsOn: Readonly<Record<string, readonly string[]>>): readonly (readonly string[])[] =>
  stopLevels(scene(dependsOn).apps).map(level => level.map(({plan}) => plan.id))

t.test('dependents come first; without dependsOn there is one level', async t => {
  t.same(ids(CHAIN), [['page', 'mail'], ['shop'], ['db']])
  t.same(ids({a: [], b: [], c: []}), [['a', 'b', 'c']])
  t.same(ids({db: [], shop: ['db', 'cache'], cache: ['db'], page: ['db']}), [['shop', 'page'], ['cache'], ['db']])
  t.same(ids({a: ['b'], b: ['a']}), [['a', 'b']], 'a circle is one level')
  t.same(ids({}), [])
})

t.test('a level is asked when the one before has ended', async t => {
  const {asked, apps, end} = scene(CHAIN)
  const clock = new TestClock()
  const stopped = stopInOrder(apps, new AbortController().signal, clock)
  t.same(asked, ['page', 'mail'])
  end('page')
  await settle()
  t.same(asked, ['page', 'mail'], 'all of it')
  end('mail')
  await settle()
  t.same(asked, ['page', 'mail', 'shop'])
  end('shop')
  await settle()
  t.same(asked.at(-1), 'db')
  end('db')
  await stopped
})

t.test('a level that does not end has a second, and the last one is asked after four at the latest', async t => {
  const {asked, apps} = scene(CHAIN)
  const clock = new TestClock()
  void stopInOrder(apps, new AbortController().signal, clock)
  clock.pass(999)
  await settle()
  t.equal(asked.length, 2)
  clock.pass(1)
  await settle()
  t.equal(asked.length, 3)
  const long = scene(Object.fromEntries(Array.from({length: 11}, (_, i) => [`a${i}`, i === 0 ? [] : [`a${i - 1}`]])))
  const other = new TestClock()
  void stopInOrder(long.apps, new AbortController().signal, other)
  for (let level = 1; level <= 10; level++) {
    t.equal(long.asked.length, level)
    other.pass(400)
    await settle()
  }
  t.equal(long.asked.at(-1), 'a0')
})

t.test('without a grace all are asked at once', async t => {
  const {asked, apps} = scene(CHAIN)
  const now = new AbortController()
  void stopInOrder(apps, now.signal, new TestClock())
  now.abort()
  await settle()
  await settle()
  t.same(asked, ['page', 'mail', 'shop', 'db'])
})

t.test('one that cannot be stopped is told when the others have ended', async t => {
  const {apps, end} = scene({a: [], b: []})
  const broken = {plan: {id: 'c', dependsOn: []}, stop: async () => Promise.reject(new Error('c cannot be stopped'))}
  let isTold = false
  const stopped = stopInOrder([...apps, broken], new AbortController().signal).catch((error: unknown) => {
    isTold = true
    throw error
  })
  end('a')
  await settle()
  t.notOk(isTold)
  end('b')
  await t.rejects(stopped, {message: 'c cannot be stopped'})
})
