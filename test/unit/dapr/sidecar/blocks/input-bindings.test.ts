import {mock} from 'node:test'
import t from 'tap'
import type {BindingEvent, ReadOptions} from '../../../../../src/dapr/components/binding.ts'
import type {Handled} from '../../../../../src/dapr/components/pubsub.ts'
import type {BindingChannel} from '../../../../../src/dapr/sidecar/blocks/binding-channel.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {Bindings} from '../../../../../src/dapr/sidecar/blocks/bindings.ts'
import {InputBindings} from '../../../../../src/dapr/sidecar/blocks/input-bindings.ts'
import type {State} from '../../../../../src/dapr/sidecar/blocks/state.ts'

t.test('a binding whose server does not answer keeps no other one from being read', async t => {
  const answers = Promise.withResolvers<void>()
  const read: string[] = []
  const component = (name: string): object => ({
    input: {
      read: async () => {
        if (name === 'slow') await answers.promise
        read.push(name)
        return {stop: async () => Promise.resolve(read.push(`${name} stops`))}
      }
    }
  })
  const context = {
    components: {find: async (_: unknown, name: string) => ({component: component(name)})},
    log: {write: (_: string, text: string) => t.fail(text)}
  }
  const bindings = new InputBindings(context as unknown as BlockContext, {bindings: {} as Bindings, state: {} as State})
  const wanted = ['slow', 'quick'].map(name => ({name, route: name}))
  const following = bindings.follow(wanted, {} as BindingChannel).then(() => read.push('all'))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.strictSame(read, ['quick'])
  answers.resolve()
  await following
  t.strictSame(read, ['quick', 'slow', 'all'])
  await bindings.close()
  t.strictSame(read.slice(3).toSorted(), ['quick stops', 'slow stops'])
})

t.test('bindings whose server does not answer yet are read once it does, though asked for twice', async t => {
  const read: string[] = []
  const lines: string[] = []
  let isThere = false
  const component = {
    input: {
      read: async () => {
        if (!isThere) throw new Error('nobody answers there')
        return Promise.resolve({stop: async () => Promise.resolve(read.push('stops'))})
      }
    }
  }
  const all = Promise.withResolvers<void>()
  const write = (level: string, text: string): void => {
    lines.push(`${level}: ${text}`)
    // it is tried again once
    if (lines.length === 5) isThere = true
  }
  const find = async (_: unknown, name: string) => {
    if (isThere && read.push(name) === 2) setImmediate(all.resolve)
    return Promise.resolve({component})
  }
  const context = {components: {find}, log: {write}} as unknown as BlockContext
  const bindings = new InputBindings(context, {bindings: {} as Bindings, state: {} as State})
  const [a, b] = ['a', 'b'].map(name => ({name, route: name}))
  if (a === undefined || b === undefined) return
  // as for an app that is asleep
  await Promise.all([[a], [a, b]].map(async some => bindings.follow(some, {} as BindingChannel)))
  await all.promise
  t.same(lines.toSorted(), [
    'debug: error reading from input binding a: nobody answers there',
    'debug: error reading from input binding b: nobody answers there',
    'error: error reading from input binding a: nobody answers there',
    'error: error reading from input binding a: nobody answers there',
    'error: error reading from input binding b: nobody answers there'
  ])
  await bindings.close()
  t.same(read.toSorted(), ['a', 'b', 'stops', 'stops'])
})

/** Bindings by their names, of which `slow` is never read. */
function newBindings() {
  const log: string[] = []
  const input = (name: string): object => ({
    read: async () => {
      log.push(`${name} is read`)
      if (name === 'slow') await new Promise(() => undefined)
      return {stop: async () => void log.push(`${name} stops`)}
    }
  })
  const components = new Map(['slow', 'quick', 'other', 'late'].map(name => [name, {input: input(name)}]))
  const context = {
    components: {find: async (_: unknown, name: string) => ({component: components.get(name)})},
    log: {write: () => undefined}
  }
  const blocks = {bindings: {} as Bindings, state: {} as State}
  const bindings = new InputBindings(context as unknown as BlockContext, blocks)
  const follow = async (...names: readonly string[]): Promise<{readonly following: Promise<void>}> => {
    const wanted = names.map(name => ({name, route: name}))
    const following = bindings.follow(wanted, {} as BindingChannel)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    return {following}
  }
  return {log, bindings, follow}
}

t.test('one that is not read yet holds up no later change, and no end, of another one', async t => {
  const {log, bindings, follow} = newBindings()
  await follow('slow', 'quick')
  t.same(log, ['slow is read', 'quick is read'])
  await follow('slow', 'quick', 'other')
  t.same(log.slice(2), ['other is read'])
  void bindings.close()
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.same(log.slice(3), ['quick stops', 'other stops'])
})

t.test('one that is not wanted any more and never stops is waited for once, not at each later change', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const {log, follow} = newBindings()
  await follow('slow', 'quick')
  const {following} = await follow('quick', 'other')
  t.same(log, ['slow is read', 'quick is read'])
  mock.timers.tick(2000)
  await following
  t.same(log.slice(2), ['other is read'])
  await follow('quick')
  t.same(log.slice(3), ['other stops'])
  await follow('quick', 'late')
  t.same(log.slice(4), ['late is read'])
})

t.test('what an answer asks for holds up the end of its binding for two seconds', async t => {
  const handle = Promise.withResolvers<(event: BindingEvent) => Promise<Handled>>()
  const begun = Promise.withResolvers<void>()
  const handled: Promise<Handled>[] = []
  const component = {
    input: {
      read: async (options: ReadOptions) => {
        handle.resolve(options.handle)
        return Promise.resolve({stop: async () => void (await Promise.all(handled))})
      }
    }
  }
  const context = {
    components: {find: async () => ({component})},
    counted: () => undefined,
    policies: () => undefined,
    log: {write: (_: string, text: string) => t.fail(text)}
  }
  const slow = {
    invoke: async () => {
      begun.resolve()
      return new Promise(() => undefined)
    }
  }
  const bindings = new InputBindings(context as unknown as BlockContext, {
    bindings: slow as unknown as Bindings,
    state: {} as State
  })
  const effects = {storeName: '', state: [], to: ['web'], data: Buffer.alloc(0), isParallel: false}
  const channel = {ready: () => undefined, deliver: async () => Promise.resolve({kind: 'success', effects})}
  await bindings.follow([{name: 'tick', route: 'tick'}], channel as unknown as BindingChannel)
  handled.push((await handle.promise)({data: Buffer.alloc(0), metadata: {}}))
  await begun.promise
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const closed = bindings.close()
  await new Promise(setImmediate)
  mock.timers.tick(2000)
  await closed
  t.same(await Promise.all(handled), ['done'])
})

const event = (text: string): BindingEvent => ({data: Buffer.from(text), metadata: {}})

t.test('what an app that is away has not got is taken back, and later events come to it once it is back', async t => {
  let options: ReadOptions | undefined
  const input = {
    read: async (given: ReadOptions) => {
      options = given
      return Promise.resolve({stop: async () => Promise.resolve()})
    }
  }
  const context = {
    components: {find: async () => Promise.resolve({component: {input}})},
    policies: () => undefined,
    counted: () => undefined
  } as unknown as BlockContext
  let isAway = true
  const got: string[] = []
  const channel = {
    ready: (signal: AbortSignal) =>
      isAway ? new Promise<void>(resolve => signal.addEventListener('abort', () => resolve())) : undefined,
    deliver: async (_: object, {data}: BindingEvent) => {
      got.push(data.toString())
      return Promise.resolve({kind: 'success'})
    }
  } as unknown as BindingChannel
  const bindings = new InputBindings(context, {bindings: {} as Bindings, state: {} as State})
  await bindings.follow([{name: 'orders', route: 'orders'}], channel)
  const held = options?.handle(event('1'))
  await new Promise(setImmediate)
  options?.takeBack?.()
  isAway = false
  t.equal(await Promise.race([held, new Promise(setImmediate)]), 'returned')
  t.equal(await options?.handle(event('2')), 'done')
  t.same(got, ['2'])
  await bindings.close()
})
