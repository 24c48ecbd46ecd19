import {setImmediate} from 'node:timers/promises'
import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {isDaprType} from '../../../../src/files/resources/component-types.ts'
import t, {type Test} from 'tap'
import {AppComponents} from '../../../../src/dapr/components/app-components.ts'
import {ComponentSet, type Use, type WantedComponent} from '../../../../src/dapr/components/component-set.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'
import {cpuMs} from '../../../rig/cpu-ms.ts'

const place = {file: 'store.yaml', line: 1, column: 1, source: ''}
const ofValue = {...place, line: 9}

const store = (
  name: string,
  properties: Readonly<Record<string, string>>,
  type = 'state.in-memory'
): ComponentResource => ({
  name,
  namespace: '',
  scopes: [],
  type,
  isOfDapr: isDaprType(type),
  capabilities: componentType(type)?.capabilities,
  version: 'v1',
  properties: Object.entries(properties).map(([key, value]) => ({
    name: key,
    value,
    secret: undefined,
    envRef: '',
    place: ofValue
  })),
  initTimeoutMs: 60_000,
  ignoresErrors: false,
  secretStore: '',
  isDefault: false,
  place,
  typePlace: place
})

const connect = async (): Promise<never> => Promise.reject(new Error('there is no Redis'))

const openComponents = (t: Test): AppComponents => {
  const set = new ComponentSet({env: {}, redis: {connect}})
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  return own
}

t.test('a property that protects data, and cannot be followed, keeps its component from opening', async t => {
  for (const [name, why] of [
    ['primaryEncryptionKey', /secretKeyRef cannot be empty/],
    ['SecondaryEncryptionKey', /secretKeyRef cannot be empty/]
  ] as const) {
    const own = openComponents(t)
    const [failure] = await own.follow([store('store', {[name]: ''})])
    t.match(failure, {fault: {message: why, place: ofValue}, isHarmless: false}, name)
    t.equal(own.isMissing('store'), true)
  }
})

t.test('a component whose file is gone is no longer one that could not be opened', async t => {
  const own = openComponents(t)
  const broken = store('store', {primaryEncryptionKey: ''})
  await own.follow([broken])
  t.match(own.failed.get('store'), /secretKeyRef/)
  await own.follow([])
  t.equal(own.failed.get('store'), undefined, 'removed')
  await own.follow([store('store', {})])
  await own.follow([broken])
  t.match(own.failed.get('store'), /secretKeyRef/)
  await own.follow([store('store', {})])
  t.equal(own.failed.get('store'), undefined, 'as it was before')
})

const database = (port: number): ComponentResource => ({
  ...store('db', {connectionString: `postgres://me@localhost:${port}/shop?connect_timeout=1`}),
  type: 'bindings.postgresql'
})

t.test('a component whose server is an app of the run is opened at its first use', async t => {
  const set = new ComponentSet({
    env: {},
    redis: {connect},
    movedPorts: new Map([[5432, 25_432]]),
    isOwnPort: port => port === 25_432
  })
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  t.same(await own.follow([database(5432)]), [])
  t.equal(own.isMissing('db'), false)
  await t.rejects(async () => void (await own.find('bindings', 'db')), /25432/, 'nothing listens there yet')
  t.equal(own.isMissing('db'), false, 'who reads it tries again')
  t.match(await own.follow([database(1)]), [{resource: {name: 'db'}}], 'another one is opened at once')
})

t.test('a version in capitals, or none, is v1', async t => {
  const own = openComponents(t)
  const resources = ['', 'V1', 'v2'].map(version => ({...store(`store${version}`, {}), version}))
  t.match(await own.follow(resources), [
    {resource: {version: 'v2'}, text: "couldn't find state store state.in-memory/v2"}
  ])
  t.strictSame(own.capabilitiesOf('store'), componentType('state.in-memory')?.capabilities)
})

t.test('a keyPrefix that cannot be told from keys', async t => {
  const own = openComponents(t)
  const [failure] = await own.follow([store('store', {KeyPrefix: 'a||b'})])
  t.match(failure, {
    text: "INIT_COMPONENT_FAILURE]: initialization error occurred for store (state.in-memory/v1): failed to save lock keyprefix: input key/keyPrefix 'a||b' can't contain '||'",
    fault: {place: ofValue}
  })
})

t.test('a second state store for actors is not opened; one that takes the place of the first is', async t => {
  const own = openComponents(t)
  const first = store('first', {actorStateStore: 'true'})
  const other = store('other', {actorStateStore: 'no'})
  const second = store('second', {ActorStateStore: 'yes'})
  const [failure, ...more] = await own.follow([first, other, second])
  t.match(failure, {text: 'detected duplicate actor state store: first and second', fault: {place: ofValue}})
  t.strictSame(more, [])
  t.strictSame([own.isMissing('first'), own.isMissing('second')], [false, true])
  t.strictSame(await own.follow([other, second]), [])
  t.equal(own.isMissing('second'), false)
})

t.test('a change that cannot be opened leaves what was there', async t => {
  const own = openComponents(t)
  t.strictSame(await own.follow([store('store', {})]), [])
  t.match(await own.follow([store('store', {primaryEncryptionKey: 'k'})]), [{resource: {name: 'store'}}])
  t.equal(own.isMissing('store'), false)
})

/** Components that note when they are closed, by a property of theirs. */
const closing = (t: Test, other?: ComponentSet['use']) => {
  const closed: string[] = []
  const use = async ({properties}: WantedComponent): Promise<Use> => ({
    component: {capabilities: [], close: async () => undefined},
    release: async () => void closed.push(properties[0]?.value ?? '')
  })
  const set = {
    use: other ?? use,
    opened: () => undefined,
    isReplayed: () => false,
    checkServer: async () => undefined,
    isServedByApp: () => false,
    space: async () => '',
    movedPorts: new Map()
  } as unknown as ComponentSet
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  return {own, closed, save: async (value: string) => own.follow([store('store', {value})])}
}

t.test('a component that a change replaces is closed when the last call that uses it has ended', async t => {
  const {own, closed, save} = closing(t)
  await save('1')
  const ends = [own.beginCall('store'), own.beginCall('store'), own.beginCall('another')]
  await save('2')
  const late = own.beginCall('store')
  t.same(closed, [])
  ends[2]?.()
  ends[0]?.()
  t.same(closed, [])
  ends[1]?.()
  await setImmediate()
  t.same(closed, ['1'], 'calls of the new one do not keep it')
  await save('3')
  t.same(closed, ['1'])
  late()
  await setImmediate()
  t.same(closed, ['1', '2'])
  await save('4')
  t.same(closed, ['1', '2', '3'], 'one that nobody uses is closed at once')
})

t.test('a call that begins while the new one is opened may use either', async t => {
  const {own, closed, save} = closing(t)
  await save('1')
  const following = save('2')
  const end = own.beginCall('store')
  await following
  t.same(closed, [])
  end()
  await setImmediate()
  t.same(closed, ['1'])
})

t.test('at the end all are closed, also those that calls use', async t => {
  const {own, closed, save} = closing(t)
  await save('1')
  const end = own.beginCall('store')
  await save('2')
  await own.close()
  t.same(closed.toSorted(), ['1', '2'])
  end()
  await setImmediate()
  t.equal(closed.length, 2, 'once')
})

t.test('a call gets the component as it was until the changed one is open, or cannot be opened', async t => {
  const answers = new Map<string, PromiseWithResolvers<void>>()
  const use = async ({properties}: WantedComponent): Promise<Use> => {
    const value = properties[0]?.value ?? ''
    await answers.get(value)?.promise
    return {component: {capabilities: [value], close: async () => undefined}, release: async () => undefined}
  }
  const {own, save} = closing(t, use)
  const valueNow = async (): Promise<unknown> => (await own.find('state', 'store'))?.component.capabilities[0]
  await save('1')
  answers.set('2', Promise.withResolvers())
  const failing = save('2')
  await setImmediate()
  const asked = valueNow()
  t.equal(own.opened('state', 'store')?.component.capabilities[0], '1')
  answers.get('2')?.reject(new Error('nobody answers there'))
  t.match(await failing, [{text: 'nobody answers there'}])
  t.equal(await asked, '1')
  t.equal(await valueNow(), '1')
  answers.set('3', Promise.withResolvers())
  const saving = save('3')
  await setImmediate()
  t.equal(await valueNow(), '1')
  answers.get('3')?.resolve()
  t.same(await saving, [])
  t.equal(await valueNow(), '3')
})

t.test('actors keep their store, too, until the changed one is open, or cannot be opened', async t => {
  const opening = Promise.withResolvers<void>()
  const use = async ({properties}: WantedComponent): Promise<Use> => {
    const value = properties[0]?.value ?? ''
    if (value === '2') await opening.promise
    return {component: {capabilities: [value], close: async () => undefined}, release: async () => undefined}
  }
  const {own} = closing(t, use)
  const save = async (value: string) => own.follow([store('store', {value, actorStateStore: 'true'})])
  const valueNow = async (): Promise<unknown> => (await own.actorStore())?.component.capabilities[0]
  await save('1')
  const failing = save('2')
  await setImmediate()
  const asked = valueNow()
  opening.reject(new Error('nobody answers there'))
  t.match(await failing, [{text: 'nobody answers there'}])
  t.equal(await asked, '1')
  const changing = own.follow([store('store', {value: '3'})])
  t.equal(await own.actorStore(), undefined, 'the file says that it is for actors no longer')
  await changing
})

const atLine = (line: number): ComponentResource => {
  const resource = store('store', {value: '1'})
  const moved = {...place, line}
  const properties = resource.properties.map(each => ({...each, place: moved}))
  return {...resource, place: moved, typePlace: moved, properties}
}

t.test('a comment above a component, which moves its lines, opens nothing again', async t => {
  const {own, closed} = closing(t)
  await own.follow([atLine(1)])
  await own.follow([atLine(2)])
  t.same(closed, [])
})

t.test('a second component of a name is refused at each change, also if it is the same word for word', async t => {
  const {own} = closing(t)
  const double = {text: 'duplicate definition of component name store (state.in-memory/v1)'}
  t.match(await own.follow([atLine(1), atLine(5)]), [double])
  t.match(await own.follow([atLine(2), atLine(6)]), [double])
  t.same(own.names('state'), ['store'])
})

t.test('where one cannot be opened, and the app does not start, the others are opened at once', async t => {
  const asked: string[] = []
  const areAsked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<never>()
  const use = async ({properties}: WantedComponent): Promise<Use> => {
    const value = properties[0]?.value ?? ''
    if (value === '1') throw new Error('nobody answers there')
    if (asked.push(value) === 2) areAsked.resolve()
    return answer.promise
  }
  const following = closing(t, use).own.follow(['1', '2', '3'].map(value => store(`store-${value}`, {value})))
  await areAsked.promise
  answer.reject(new Error('nor there'))
  const faults = (await following).map(({text}) => text.replace(/.*: /, ''))
  t.strictSame([...faults, ...asked], ['nobody answers there', 'nor there', 'nor there', '2', '3'])
})

t.test('thousands of components are compared at once', async t => {
  const {own, closed} = closing(t)
  const all = Array.from({length: 3000}, (_, at) => ({...atLine(at), name: `store-${at}`}))
  await own.follow(all)
  const begun = cpuMs()
  await own.follow(all.map(each => ({...each, place})))
  t.ok(cpuMs() - begun < 5000)
  t.same(closed, [])
})

/** A store and a bus in memory, of a file with these properties. */
const inMemory = async (own: AppComponents, properties: Readonly<Record<string, string>>) => {
  await own.follow([store('store', properties), store('bus', properties, 'pubsub.in-memory')])
  return [(await own.find('state', 'store'))?.component, (await own.find('pubsub', 'bus'))?.component]
}

t.test('what is in memory outlives an edit of its file; a bus is that of one sidecar', async t => {
  const set = new ComponentSet({env: {}, redis: {connect}})
  const open = (appId: string): AppComponents => {
    const own = new AppComponents({appId, folder: '/', env: {}, set, log: () => undefined})
    t.teardown(async () => own.close())
    return own
  }
  const [shop, stock] = [open('shop'), open('shop')]
  const [values, bus] = await inMemory(shop, {})
  const others = await inMemory(stock, {})
  t.equal(others[0], values)
  t.not(others[1], bus, 'also of another instance of the app')
  const edited = await inMemory(shop, {keyPrefix: 'none', protectedTopics: 'orders'})
  t.equal(edited[0], values)
  t.equal(edited[1], bus)
})

const openIn = async (own: AppComponents, file: string) => {
  await own.follow([{...store('store', {}), place: {...place, file}}])
  return (await own.find('state', 'store'))?.component
}

t.test('apps share what is in memory also after it has moved to another file', async t => {
  const set = new ComponentSet({env: {}, redis: {connect}})
  const [shop, stock] = ['shop', 'stock'].map(
    appId => new AppComponents({appId, folder: '/', env: {}, set, log: () => undefined})
  ) as [AppComponents, AppComponents]
  await openIn(shop, 'a.yaml')
  const values = await openIn(shop, 'b.yaml')
  t.equal(await openIn(stock, 'b.yaml'), values)
  await Promise.all([shop.close(), stock.close()])
})

t.test('what a component could do before its type was edited is not what the next one can', async t => {
  const set = new ComponentSet({env: {}, redis: {connect}, isOwnPort: port => port === 9092})
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  await own.follow([store('events', {url: 'http://localhost:1'}, 'bindings.http')])
  t.same(own.capabilitiesOf('events'), ['OUTPUT_BINDING'])
  await own.follow([store('events', {brokers: 'localhost:9092'}, 'bindings.kafka')])
  t.equal(own.capabilitiesOf('events'), undefined, 'it is opened at its first use')
})

const atFirstUse = (value: string): ComponentResource => ({...store('store', {value}), isDefault: true})

t.test('the callers of a component that is edited while it is opened for them may use it', async t => {
  const opening = Promise.withResolvers<void>()
  const closed: string[] = []
  const use = async ({properties}: WantedComponent): Promise<Use> => {
    const value = properties[0]?.value ?? ''
    await opening.promise
    return {
      component: {capabilities: [value], close: async () => undefined},
      release: async () => void closed.push(value)
    }
  }
  const {own} = closing(t, use)
  await own.follow([atFirstUse('1')])
  const calling = (async () => {
    const found = await own.find('state', 'store')
    const end = own.beginCall('store')
    await setImmediate()
    const wasOpen = !closed.includes(String(found?.component.capabilities[0]))
    end()
    return wasOpen
  })()
  const following = own.follow([atFirstUse('2')])
  opening.resolve()
  t.ok(await calling)
  await following
  await setImmediate()
  t.same(closed, ['1'])
})

t.test('a component that could not be opened when its file was edited is not one that could not be closed', async t => {
  const opening = Promise.withResolvers<never>()
  const lines: string[] = []
  const set = {
    use: async () => opening.promise,
    isReplayed: () => false,
    checkServer: async () => undefined,
    space: async () => '',
    movedPorts: new Map()
  } as unknown as ComponentSet
  const log = (level: string, text: string): void => void lines.push(`${level}: ${text}`)
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log})
  await own.follow([{...store('store', {}), isDefault: true}])
  const calling = own.find('state', 'store')?.catch(() => undefined)
  const following = own.follow([])
  opening.reject(new Error('nobody answers there'))
  await Promise.all([calling, following])
  t.match(lines, [/^error: Failed to init component store .*nobody answers there$/])
})
