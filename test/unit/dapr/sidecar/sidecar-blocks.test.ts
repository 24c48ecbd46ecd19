import t from 'tap'
import {ComponentSet} from '../../../../src/dapr/components/component-set.ts'
import type {ActorSession} from '../../../../src/dapr/sidecar/blocks/actor-streams.ts'
import {SidecarBlocks, type SharedContext} from '../../../../src/dapr/sidecar/sidecar-blocks.ts'
import type {OpenSidecarOptions} from '../../../../src/dapr/sidecar/sidecar-options.ts'
import {DEFAULT_CONFIGURATION} from '../../../../src/files/resources/defaults.ts'
import {types} from '../../../rig/actor-house.ts'
import {componentResource} from '../../../rig/component-resource.ts'

t.test('a sidecar that closes while its components are loaded takes no event of an earlier run', async t => {
  const components = [componentResource('store', 'state.in-memory', {outboxPublishTopic: 'orders'})]
  const set = Promise.withResolvers<ComponentSet>()
  let claims = 0
  const outbox = {
    claim: () => {
      claims++
      return []
    },
    onRelease: () => () => undefined
  }
  const options = {
    runtime: {plan: {folder: '/', resources: {}}, opening: {}},
    env: {},
    resources: {snapshot: {components, configuration: DEFAULT_CONFIGURATION}, onChange: () => () => undefined},
    components: async () => set.promise
  } as unknown as OpenSidecarOptions
  const context = {
    appId: 'shop',
    work: {outbox: async () => Promise.resolve(outbox)},
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  } as unknown as SharedContext
  const blocks = new SidecarBlocks(options, context, async () => Promise.resolve(undefined))
  const loading = blocks.load()
  const closing = blocks.close()
  set.resolve({} as ComponentSet)
  await Promise.all([loading, closing])
  await new Promise(setImmediate)
  t.equal(claims, 0)
})

t.test('an outbox that an edit adds is read', async () => {
  const components = [componentResource('store', 'state.cassandra', {})]
  const claimed = Promise.withResolvers<void>()
  const outbox = {
    claim: () => {
      claimed.resolve()
      return []
    },
    onRelease: () => () => undefined
  }
  let change: ((snapshot: object) => void) | undefined
  const options = {
    runtime: {plan: {folder: '/', resources: {}}, fault: '', opening: {}},
    env: {},
    resources: {
      snapshot: {components, configuration: DEFAULT_CONFIGURATION},
      onChange: (listener: (snapshot: object) => void) => {
        change = listener
        return () => undefined
      },
      warn: () => undefined
    },
    components: async () => Promise.resolve({})
  } as unknown as OpenSidecarOptions
  const log = {isDebug: false, write: () => undefined, warn: () => undefined}
  const context = {appId: 'shop', work: {outbox: async () => Promise.resolve(outbox)}, log} as unknown as SharedContext
  const blocks = new SidecarBlocks(options, context, async () => Promise.resolve(undefined))
  await blocks.load()
  change?.({components: [componentResource('store', 'state.cassandra', {outboxPublishTopic: 'a'})]})
  await claimed.promise
  await blocks.close()
})

t.test('actors are hosted by no sidecar that has left them, also where its blocks are loaded later', async t => {
  let hosted = 0
  const options = {
    runtime: {plan: {folder: '/', resources: {}}, opening: {}},
    env: {},
    resources: {snapshot: {components: [], configuration: DEFAULT_CONFIGURATION}, onChange: () => () => undefined},
    components: async () => Promise.resolve({})
  } as unknown as OpenSidecarOptions
  const context = {
    appId: 'shop',
    lives: () => [],
    actors: {load: async () => Promise.resolve({host: () => void hosted++, leave: () => undefined})},
    log: {write: () => undefined}
  } as unknown as SharedContext
  const openOne = async (isLeft: boolean): Promise<void> => {
    const blocks = new SidecarBlocks(options, context, async () => Promise.resolve(undefined))
    const loading = blocks.load()
    if (isLeft) blocks.leaveActors()
    const {actorStreams} = await loading
    await actorStreams.open({} as ActorSession, types(['Cart']))
    blocks.leaveActors()
  }
  await openOne(true)
  t.equal(hosted, 0)
  await openOne(false)
  t.equal(hosted, 1)
})

/** The blocks of an app whose files have a component, and the change of these files. */
const blocksOf = (openDaprd: () => Promise<undefined>, more: object = {}, set: object = {}) => {
  const components = [{...componentResource('db', 'state.cassandra', {}), ...more}]
  const logged: string[] = []
  let change: ((snapshot: object) => void) | undefined
  const options = {
    runtime: {plan: {folder: '/', resources: {}}, fault: '', opening: {faults: new Map()}},
    env: {},
    resources: {
      snapshot: {components, configuration: DEFAULT_CONFIGURATION},
      warn: () => undefined,
      onChange: (listener: (snapshot: object) => void) => {
        change = listener
        return () => undefined
      }
    },
    components: async () => Promise.resolve(set)
  } as unknown as OpenSidecarOptions
  const log = {isDebug: false, write: (_: string, text: string) => logged.push(text), warn: () => undefined}
  let claims = 0
  const claim = (): readonly object[] => {
    claims++
    return []
  }
  const work = {outbox: async () => Promise.resolve({claim, onRelease: () => () => undefined})}
  const blocks = new SidecarBlocks(options, {appId: 'shop', log, work} as unknown as SharedContext, openDaprd)
  const changed = (now: readonly object[] = [...components]): void => change?.({components: now})
  return {blocks, logged, change: changed, claims: () => claims}
}

t.test('a change of files is told also where nothing opens before it is called: a binding may have come', async () => {
  const {blocks, change} = blocksOf(async () => Promise.reject(new Error('nothing is looked for')), {isDefault: true})
  const followed = new Promise<void>(resolve => void blocks.onComponents(resolve))
  change()
  await followed
  await blocks.close()
})

t.test('what could not be opened is opened when it is asked for again: its server may be there by now', async t => {
  const component = componentResource('db', 'state.sqlite', {connectionString: 'file:db'})
  let tries = 0
  const set = {
    use: async () => {
      if (++tries === 1) throw new Error('it is not there')
      return Promise.resolve({component: {capabilities: []}, release: async () => undefined})
    },
    opened: () => undefined,
    isReplayed: () => false,
    isServedByApp: () => false,
    checkServer: async () => undefined,
    space: async () => '',
    movedPorts: new Map()
  }
  const {blocks, logged, change} = blocksOf(async () => Promise.resolve(undefined), component, set)
  t.match(await blocks.open(), /^the component db \(state\.sqlite\) cannot be opened: it is not there/)
  t.match(logged.at(-1), /^Fatal error from runtime: process component db/)
  await blocks.reload()
  await blocks.reload()
  t.equal(tries, 2)
  const begun = logged.length
  tries = 0
  const followed = new Promise<void>(resolve => void blocks.onComponents(resolve))
  change([{...component, version: 'v2'}])
  await followed
  t.match(
    logged.slice(begun),
    [/^Closing existing/, /^Failed to init component db/],
    'the app goes on: nothing is fatal'
  )
  await blocks.close()
})

t.test('a component that an edit adds, and that cannot be opened, is not fatal: the app goes on', async t => {
  const set = new ComponentSet({env: {}, redis: {connect: async () => Promise.reject(new Error('there is none'))}})
  const {blocks, logged, change} = blocksOf(async () => Promise.resolve(undefined), {isDefault: true}, set)
  t.equal(await blocks.open(), '')
  const followed = new Promise<void>(resolve => void blocks.onComponents(resolve))
  change([componentResource('store', 'state.in-memory', {primaryEncryptionKey: ''})])
  await followed
  t.match(logged, [/^Failed to init component store/])
  t.notMatch(logged.join('\n'), /fatal/i)
  await blocks.close()
})

t.test('events that an earlier run has left are published once an edit brings their store back', async t => {
  const set = new ComponentSet({env: {}, redis: {connect: async () => Promise.reject(new Error('there is none'))}})
  const store = componentResource('store', 'state.in-memory', {outboxPublishTopic: 'orders'})
  const {blocks, change, claims} = blocksOf(async () => Promise.resolve(undefined), {isDefault: true}, set)
  await blocks.load()
  const followed = async (components: readonly object[]): Promise<void> => {
    const done = new Promise<void>(resolve => {
      const stop = blocks.onComponents(() => resolve(stop()))
    })
    change(components)
    await done
    await new Promise(setImmediate)
  }
  t.equal(claims(), 0)
  await followed([store])
  t.equal(claims(), 1)
  await followed([store, componentResource('other', 'state.in-memory', {})])
  t.equal(claims(), 1, 'once')
  await blocks.close()
})
