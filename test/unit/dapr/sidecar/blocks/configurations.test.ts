import t from 'tap'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {ConfigurationItems, ConfigurationStore} from '../../../../../src/dapr/components/configuration-store.ts'
import {Configurations} from '../../../../../src/dapr/sidecar/blocks/configurations.ts'

const ITEM = {value: '1', version: '', metadata: {}}

/** A store whose subscriptions end when the test says so, and begin once they may. */
function newStore(mayBegin?: Promise<void>) {
  const ends: PromiseWithResolvers<void>[] = []
  return {
    ends,
    listening: 0,
    change: undefined as ((items: ConfigurationItems) => void) | undefined,
    async subscribe(...given: Parameters<ConfigurationStore['subscribe']>): Promise<() => Promise<void>> {
      if (mayBegin !== undefined) await mayBegin
      this.listening++
      this.change = given[2]
      return Promise.resolve(async () => {
        const end = Promise.withResolvers<void>()
        ends.push(end)
        await end.promise
        this.listening--
      })
    },
    get: async (): Promise<ConfigurationItems> => Promise.resolve({})
  }
}

const blockOf = (
  store: () => object,
  write: (level: string, text: string) => void = () => undefined,
  lives: () => readonly number[] = () => [1]
): Configurations =>
  new Configurations({
    lives,
    component: async () => Promise.resolve({component: store()}),
    components: {find: async () => Promise.resolve({component: store()})},
    outbound: async (_: object, work: () => Promise<unknown>) => work(),
    log: {isDebug: false, write, warn: () => undefined}
  } as unknown as BlockContext)

const REQUEST = {storeName: 'config', keys: [], metadata: {}}

t.test('a subscription that ends while its store is opened again does not continue there', async t => {
  const [before, after] = [newStore(), newStore()]
  let store = before
  const block = blockOf(() => store)
  const id = await block.subscribe(REQUEST, async () => Promise.resolve())
  const ended = block.unsubscribe('config', id)
  while (before.ends.length === 0) await new Promise(setImmediate)
  store = after
  await block.renew()
  before.ends[0]?.resolve()
  await ended
  t.equal(after.listening, 0)
  t.equal(block.areRead, false)
})

t.test('one whose store cannot end it is still there for who asks again, with its changes', async t => {
  const store = newStore()
  const block = blockOf(() => store)
  const changes: string[] = []
  const id = await block.subscribe(REQUEST, async (_, items) => void changes.push(...Object.keys(items)))
  const failing = block.unsubscribe('config', id)
  while (store.ends.length === 0) await new Promise(setImmediate)
  store.change?.({early: ITEM})
  await new Promise(setImmediate)
  store.ends[0]?.reject(new Error('no answer'))
  await t.rejects(failing, {message: 'no answer'})
  store.change?.({late: ITEM})
  await new Promise(setImmediate)
  t.same(changes, ['late'])
  const again = block.unsubscribe('config', id)
  while (store.ends.length === 1) await new Promise(setImmediate)
  store.ends[1]?.resolve()
  await again
  t.equal(block.areRead, false)
  await t.rejects(block.unsubscribe('config', id), {message: /does not exist/})
})

t.test('one whose caller has left is over, whether or not its store hears of it', async t => {
  const [store, next] = [newStore(), newStore()]
  let current = store
  const block = blockOf(() => current)
  const id = await block.subscribe(REQUEST, async () => Promise.resolve())
  const dropped = block.drop(id)
  while (store.ends.length === 0) await new Promise(setImmediate)
  store.ends[0]?.reject(new Error('no answer'))
  await dropped
  t.equal(block.areRead, false)
  current = next
  await block.renew()
  t.equal(next.listening, 0)
})

t.test('one whose store does not answer can be ended by a second attempt', async t => {
  const store = newStore()
  const block = blockOf(() => store)
  const id = await block.subscribe(REQUEST, async () => Promise.resolve())
  const first = block.end(id)
  const second = block.end(id)
  store.ends[1]?.resolve()
  await second
  t.equal(block.areRead, false)
  store.ends[0]?.reject(new Error('too late'))
  await t.rejects(first, {message: 'too late'})
  t.equal(block.areRead, false)
})

t.test('a store that is opened again twice in a row is subscribed to once, whichever answers first', async t => {
  const [before, slow, after] = [newStore(), newStore(), newStore()]
  const failing = Promise.withResolvers<() => Promise<void>>()
  slow.subscribe = async () => failing.promise
  let store = before
  const block = blockOf(() => store)
  await block.subscribe(REQUEST, async () => Promise.resolve())
  store = slow
  const first = block.renew()
  await new Promise(setImmediate)
  store = after
  await block.renew()
  failing.reject(new Error('it was closed'))
  await first
  await block.renew()
  t.equal(after.listening, 1)
})

t.test('one whose store is opened again for its app alone ends at the one before, which others still have', async t => {
  const [shared, own] = [newStore(), newStore()]
  let store = shared
  const block = blockOf(() => store)
  const changes: string[] = []
  await block.subscribe(REQUEST, async (_, items) => void changes.push(...Object.keys(items)))
  store = own
  await block.renew()
  t.equal(shared.ends.length, 1)
  shared.ends[0]?.resolve()
  await new Promise(setImmediate)
  t.same([shared.listening, own.listening], [0, 1])
})

t.test('and one that ends meanwhile ends at both', async t => {
  const taken = Promise.withResolvers<void>()
  const [shared, own] = [newStore(), newStore(taken.promise)]
  let store = shared
  const block = blockOf(() => store)
  const id = await block.subscribe(REQUEST, async () => Promise.resolve())
  store = own
  const renewed = block.renew()
  await new Promise(setImmediate)
  await block.end(id)
  t.equal(shared.ends.length, 1)
  taken.resolve()
  while (own.ends.length === 0) await new Promise(setImmediate)
  own.ends[0]?.resolve()
  await renewed
  t.equal(own.listening, 0)
})

t.test('one that its store takes only when all have been closed is over', async t => {
  const taken = Promise.withResolvers<void>()
  const store = newStore(taken.promise)
  const block = blockOf(() => store)
  const subscribing = block.subscribe(REQUEST, async () => Promise.resolve())
  await new Promise(setImmediate)
  await block.close()
  taken.resolve()
  while (store.ends.length === 0) await new Promise(setImmediate)
  store.ends[0]?.resolve()
  await subscribing
  t.equal(store.listening, 0)
  t.equal(block.areRead, false)
})

t.test('an update that cannot be sent, as no file can be opened, is named as one that was not taken', async t => {
  const block = new Configurations({policies: () => undefined} as unknown as BlockContext)
  const {signal} = new AbortController()
  const shortage = new Error('EMFILE: too many open files')
  t.equal(await block.deliver('config', async () => Promise.reject(shortage), signal), shortage.message)
  t.equal(await block.deliver('config', async () => '', signal), '')
  t.equal(await block.deliver('config', async () => 'status code 500', signal), 'status code 500')
})

t.test('a subscription that its store cannot take when it is opened again continues there once it can', async t => {
  const [before, after] = [newStore(), newStore()]
  const taken = Promise.withResolvers<void>()
  let tries = 0
  const subscribed = after.subscribe([], {}, () => undefined)
  after.listening = 0
  after.subscribe = async () => {
    if (++tries <= 2) throw new Error('it is still starting')
    after.listening++
    taken.resolve()
    return subscribed
  }
  let store = before
  const levels: string[] = []
  const block = blockOf(
    () => store,
    level => void levels.push(level)
  )
  await block.subscribe(REQUEST, async () => Promise.resolve())
  store = after
  await block.renew()
  t.equal(after.listening, 0)
  await taken.promise
  t.equal(after.listening, 1)
  t.strictSame(levels, ['error', 'debug'], 'once it is an error')
  const closed = block.close()
  while (after.ends.length === 0) await new Promise(setImmediate)
  after.ends[0]?.resolve()
  await closed
})

t.test('who is slow to take changes gets the latest of each key: no more wait than he can be behind', async t => {
  const store = newStore()
  const block = blockOf(() => store)
  const took = Promise.withResolvers<void>()
  const changes: string[] = []
  await block.subscribe(REQUEST, async (_, items) => {
    for (const [key, {value}] of Object.entries(items)) changes.push(`${key}=${value}`)
    await took.promise
  })
  for (let value = 0; value < 1000; value++) store.change?.({color: {...ITEM, value: value.toString()}})
  store.change?.({size: ITEM})
  took.resolve()
  while (changes.at(-1) !== 'size=1') await new Promise(setImmediate)
  t.ok(changes.length < 150, `${changes.length} changes`)
  t.same(changes.slice(0, 3), ['color=0', 'color=1', 'color=2'])
  t.equal(changes.at(-2), 'color=999')
})

/** The app's processes by their starts, first the one that gets the calls, and what its subscriptions say. */
function newProcesses() {
  const store = {...newStore(), ended: 0, told: new Set<(items: ConfigurationItems) => void>()}
  store.subscribe = async (_keys, _metadata, changed) => {
    store.told.add(changed)
    return async () => {
      store.told.delete(changed)
      store.ended++
    }
  }
  const processes = {
    store,
    lives: [1],
    said: [] as string[],
    change: async (value: string) => {
      for (const changed of store.told) changed({color: {...ITEM, value}})
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    },
    subscribe: async (name: string, keys: readonly string[]) =>
      block.subscribe({...REQUEST, keys, isOfProcess: true}, async (_, {color}) => {
        processes.said.push(`${name} ${color?.value}`)
      }),
    live: async (...lives: number[]) => {
      processes.lives = lives
      block.followProcesses()
      await new Promise(setImmediate)
    }
  }
  const block = blockOf(
    () => store,
    () => undefined,
    () => processes.lives
  )
  return processes
}

t.test('what a process asks for that is to take over says nothing before it does', async t => {
  const processes = newProcesses()
  await processes.subscribe('old', ['color'])
  await processes.live(1, 2)
  await processes.subscribe('new', ['color'])
  await processes.change('red')
  t.same(processes.said, ['old red'])
  await processes.live(2)
  t.same(processes.said, ['old red', 'new red'])
  t.equal(processes.store.ended, 1)
  await processes.change('blue')
  t.same(processes.said.slice(2), ['new blue'])
})

t.test('what a process has asked for that failed before it took over ends with it', async t => {
  const processes = newProcesses()
  await processes.subscribe('old', ['color'])
  await processes.live(1, 2)
  await processes.subscribe('new', ['color'])
  await processes.subscribe('old', ['color', 'size'])
  await processes.live(1)
  t.equal(processes.store.ended, 1, 'not what the old one may have asked for meanwhile')
  await processes.change('red')
  t.same(processes.said, ['old red', 'old red'])
})

t.test('one does not wait for another store, which does not answer', async t => {
  const [store, other] = [newStore(), newStore()]
  const opening = Promise.withResolvers<object>()
  let isOpening = false
  const block = new Configurations({
    lives: () => [1],
    component: async (_: string, name: string) => ({component: name === 'config' ? store : other}),
    components: {
      find: async (_: string, name: string) =>
        name === 'other' && isOpening ? opening.promise : {component: name === 'config' ? store : other}
    },
    outbound: async (_: object, work: () => Promise<unknown>) => work(),
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  } as unknown as BlockContext)
  await block.subscribe({...REQUEST, storeName: 'other'}, async () => Promise.resolve())
  isOpening = true
  let id = ''
  void block.subscribe(REQUEST, async () => Promise.resolve()).then(given => (id = given))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.not(id, '')
})

t.test('one that continues hears what has changed meanwhile, and of what changes while it asks for that', async t => {
  const [before, after] = [newStore(), newStore()]
  const asked = Promise.withResolvers<void>()
  const values = Promise.withResolvers<ConfigurationItems>()
  after.get = async () => {
    asked.resolve()
    return values.promise
  }
  let store = before
  const block = blockOf(() => store)
  const known: Record<string, string> = {}
  await block.subscribe(REQUEST, async (_, items) => {
    for (const [key, {value}] of Object.entries(items)) known[key] = value
    return Promise.resolve()
  })
  store = after
  const renewed = block.renew()
  await asked.promise
  after.change?.({late: {...ITEM, value: '3'}})
  values.resolve({meanwhile: {...ITEM, value: '2'}, late: {...ITEM, value: '2'}})
  await renewed
  await new Promise(setImmediate)
  t.same(known, {meanwhile: '2', late: '3'})
})

for (const isClosed of [false, true])
  t.test(`one that continued at a later store hears no earlier one, ${isClosed ? 'closed' : 'late'}`, async t => {
    const [before, between, after] = [newStore(), newStore(), newStore()]
    const asked = Promise.withResolvers<void>()
    const values = Promise.withResolvers<ConfigurationItems>()
    between.get = async () => {
      asked.resolve()
      return values.promise
    }
    after.get = async () => Promise.resolve({color: {...ITEM, value: 'new'}})
    let store = before
    const levels: string[] = []
    const block = blockOf(
      () => store,
      level => void levels.push(level)
    )
    const said: string[] = []
    await block.subscribe(REQUEST, async (_, {color}) => void said.push(color?.value ?? ''))
    store = between
    const first = block.renew()
    await asked.promise
    store = after
    await block.renew()
    if (isClosed) values.reject(new Error('it is closed'))
    else values.resolve({color: {...ITEM, value: 'old'}})
    await first
    await new Promise(setImmediate)
    t.same([said, levels], [['new'], ['info', 'info']])
  })

t.test('one continues also where what has changed meanwhile cannot be asked for', async t => {
  const [before, after] = [newStore(), newStore()]
  after.get = async () => Promise.reject(new Error("invalid key : 'the-color'"))
  let store = before
  const lines: string[] = []
  const block = blockOf(
    () => store,
    (level, text) => void lines.push(`${level} ${text.replace(/subscription \S+/, 'one')}`)
  )
  const id = await block.subscribe({...REQUEST, keys: ['the-color']}, async () => Promise.resolve())
  store = after
  await block.renew()
  t.same(lines, [
    'info one continues at configuration store config, which was opened again',
    "warn what has changed in config cannot be read: invalid key : 'the-color'"
  ])
  const ended = block.unsubscribe('config', id)
  while (after.ends.length === 0) await new Promise(setImmediate)
  after.ends[0]?.resolve()
  await ended
  t.equal(after.listening, 0)
})
