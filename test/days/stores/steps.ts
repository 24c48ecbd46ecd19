import {mock} from 'node:test'
import type {Random} from '../../fuzz/random.ts'
import {
  byHttp,
  get,
  getAll,
  outcomeOf,
  remove,
  removeAll,
  save,
  transact,
  tryLock,
  unlock,
  type Protocol,
  type Read
} from './asks.ts'
import {KEYS, NAMES, STORES, type App, type House} from './house.ts'
import type {Change, Outcome, StoreModel} from './model.ts'

const OWNERS = ['ann', 'bob']
const CONCURRENCIES = [
  [false, false],
  [false, false],
  [false, false],
  [true, false],
  [false, true]
].map(([isFirst = false, isLast = false]) => ({isFirst, isLast}))
let values = 0

interface Asked {
  readonly app: App
  readonly protocol: Protocol
  readonly store: string
  readonly model: StoreModel
}

function askedOf(house: House, random: Random): Asked {
  const store = random.pick(Object.keys(STORES))
  return {
    app: random.pick(house.apps),
    protocol: random.pick(['http', 'grpc'] as const),
    store,
    model: house.models.get(store) as StoreModel
  }
}

/** Over gRPC a value may be any bytes. */
const valueOf = (random: Random, protocol: Protocol): string =>
  protocol === 'grpc' && random.oneIn(3) ? `\u00FF\u0000${++values}` : JSON.stringify(`v${++values}`)

function changeOf(random: Random, {model, protocol}: Asked, kind: Change['kind'], key = random.pick(KEYS)): Change {
  const given = [...(model.given.get(key) ?? [])]
  const etags = [
    '',
    '',
    model.etagOf(key) ?? '',
    model.etagOf(key) ?? '',
    random.pick([...given, '']),
    random.pick(['abc', '7'])
  ]
  return {
    kind,
    key,
    value: kind === 'upsert' ? valueOf(random, protocol) : '',
    etag: random.pick(etags),
    ...random.pick(CONCURRENCIES),
    ttl:
      kind === 'upsert' && random.oneIn(2)
        ? random.pick(model.sort === 'sqlite' ? [-1, 0, 3600] : [-1, 0, 5, 60])
        : undefined
  }
}

/** Whether what a store has answered fits what the app has of it: it is then told of. */
function isThere(house: House, {app, store}: Pick<Asked, 'app' | 'store'>, outcome: Outcome, why: string): boolean {
  house.say(why)
  const effect =
    app.edited.has(store) || (store === 'sealed' && app.edited.has('vault')) ? 'unknown' : app.effects.get(store)
  if (effect === 'unknown') return outcome !== 'missing'
  if ((outcome === 'missing') === effect)
    house.fault(`${store} is ${effect ? '' : 'not '}there, and ${app.name} hears: ${outcome} ${why}`)
  return outcome !== 'missing'
}

function expect(
  house: House,
  {app, store, protocol}: Asked,
  what: string,
  outcomes: {outcome: Outcome; why: string; wanted: Outcome}
): void {
  const {outcome, why, wanted} = outcomes
  if (outcome !== wanted)
    house.fault(`${what} at ${store} over ${protocol} by ${app.name}: ${outcome} (${why}), and not ${wanted}`)
}

/** Saves or deletes one item or several, each for itself. */
async function write(house: House, random: Random, kind: Change['kind'], isBulk: boolean): Promise<void> {
  const asked = askedOf(house, random)
  const {app, protocol, store, model} = asked
  const keys = isBulk ? KEYS.slice(0, 1 + random.below(KEYS.length)) : [random.pick(KEYS)]
  const changes = keys.map(key => changeOf(random, asked, kind, key))
  const blocks = await app.blocks()
  const work =
    kind === 'upsert'
      ? save(blocks, protocol, store, changes)
      : isBulk
        ? removeAll(blocks, store, changes)
        : remove(blocks, protocol, store, changes[0] as Change)
  const {outcome, why} = await outcomeOf(work, kind === 'delete' && isBulk ? 'grpc' : protocol)
  if (!isThere(house, asked, outcome, why)) return
  const wants = changes.map(each => model.outcomeOf(each))
  const wanted =
    wants.find(each => each === 'mismatch' || each === 'invalid') ?? wants.find(each => each !== 'ok') ?? 'ok'
  const isEither = wants.includes('mismatch') && wants.includes('invalid')
  if (!isEither) expect(house, asked, kind, {outcome, why, wanted})
  for (const [at, change] of changes.entries()) if (wants[at] === 'ok') model.apply(change)
}

/** Several write different items at once, while something happens. */
async function writeAtOnce(house: House, random: Random): Promise<void> {
  const pairs = new Map(
    Array.from({length: 2 + random.below(4)}, () => {
      const asked = askedOf(house, random)
      const change = changeOf(random, asked, random.oneIn(4) ? 'delete' : 'upsert')
      return [`${asked.store} ${change.key}`, {asked, change}] as const
    })
  )
  const all = [...pairs.values()].map(async ({asked, change}) => {
    const {app, protocol, store, model} = asked
    const blocks = await app.blocks()
    const work =
      change.kind === 'upsert' ? save(blocks, protocol, store, [change]) : remove(blocks, protocol, store, change)
    const {outcome, why} = await outcomeOf(work, protocol)
    if (!isThere(house, asked, outcome, why)) return
    expect(house, asked, change.kind, {outcome, why, wanted: model.outcomeOf(change)})
    if (outcome === 'ok') model.apply(change)
  })
  await Promise.all([...all, happen(house, random)])
}

/** Something that may happen while stores are asked. */
async function happen(house: House, random: Random): Promise<void> {
  for (let turns = random.below(4); turns > 0; turns--) await new Promise(setImmediate)
  if (random.oneIn(2)) house.edit(random.pick(NAMES), random.pick(HOW))
  if (random.oneIn(6)) await house.endOther()
}

async function writeTogether(house: House, random: Random): Promise<void> {
  const asked = askedOf(house, random)
  const {app, protocol, store, model} = asked
  const changes = Array.from({length: 1 + random.below(4)}, () =>
    changeOf(random, asked, random.oneIn(3) ? 'delete' : 'upsert')
  )
  const {outcome, why} = await outcomeOf(transact(await app.blocks(), protocol, store, changes), protocol)
  if (isThere(house, asked, outcome, why))
    expect(house, asked, 'a transaction', {outcome, why, wanted: model.transact(changes)})
}

function compare(house: House, {store, model, protocol}: Asked, key: string, read: Read): void {
  const item = model.find(key)
  const isShown = read?.value !== ''
  if ((item === undefined) !== (read === undefined) || (isShown && item?.value !== read?.value))
    return house.fault(
      `${key} of ${store} over ${protocol}: ${JSON.stringify(read?.value)}, and not ${JSON.stringify(item?.value)}`
    )
  if (item === undefined || read === undefined) return
  const why = model.learn(key, read.etag)
  if (why !== '') house.fault(`${key} of ${store}: ${why}`)
  if (model.sort !== 'redis' && read.hasTtl !== (item.expiresAt !== Infinity))
    house.fault(`${key} of ${store}: ttlExpireTime`)
}

async function readOne(house: House, random: Random): Promise<void> {
  const asked = askedOf(house, random)
  const key = random.pick(KEYS)
  let read: Read
  const reading = get(await asked.app.blocks(), asked.protocol, asked.store, key).then(found => (read = found))
  const {outcome, why} = await outcomeOf(reading, asked.protocol)
  if (!isThere(house, asked, outcome, why)) return
  expect(house, asked, 'get', {outcome, why, wanted: 'ok'})
  compare(house, asked, key, read)
}

async function readAll(house: House, random: Random): Promise<void> {
  const asked = askedOf(house, random)
  let reads: readonly Read[] = []
  const reading = getAll(await asked.app.blocks(), asked.protocol, asked.store, KEYS).then(found => (reads = found))
  const {outcome, why} = await outcomeOf(reading, asked.protocol)
  if (!isThere(house, asked, outcome, why)) return
  expect(house, asked, 'get all', {outcome, why, wanted: 'ok'})
  for (const [at, key] of KEYS.entries()) compare(house, asked, key, reads[at])
}

/** Several save one item at once with its etag, or if it is not there: one of them does. */
async function race(house: House, random: Random): Promise<void> {
  const asked = askedOf(house, random)
  const {model, store} = asked
  const key = random.pick(KEYS)
  const etag = model.etagOf(key)
  if (etag === undefined && model.find(key) !== undefined) return
  const racers = Array.from({length: 2 + random.below(3)}, () => ({
    ...asked,
    app: random.pick(house.apps),
    protocol: random.pick(['http', 'grpc'] as const)
  }))
  const raced = racers.map(async racer => {
    const isFirst = etag === undefined || random.oneIn(2)
    const change: Change = {
      kind: 'upsert',
      key,
      value: valueOf(random, racer.protocol),
      etag: etag ?? '',
      isFirst,
      isLast: false,
      ttl: undefined
    }
    const blocks = await racer.app.blocks()
    const work = random.oneIn(3)
      ? transact(blocks, racer.protocol, store, [change])
      : save(blocks, racer.protocol, store, [change])
    const {outcome, why} = await outcomeOf(work, racer.protocol)
    return {change, outcome, isThere: isThere(house, racer, outcome, why)}
  })
  await happen(house, random)
  const all = (await Promise.all(raced)).filter(one => one.isThere)
  const won = all.filter(({outcome}) => outcome === 'ok')
  if (won.length !== 1 && all.length > 0)
    house.fault(`${won.length} of ${all.length} save ${key} of ${store} with the etag ${etag ?? ''}`)
  for (const {change} of won) model.apply(change)
}

async function lock(house: House, random: Random, count: number): Promise<void> {
  const resourceId = random.pick(['one', 'two'])
  const expiryInSeconds = random.pick([2, 30])
  const held = house.locks.get(resourceId)
  const isHeld = held !== undefined && held.until > Date.now()
  const tries = Array.from({length: count}, async () => {
    const lockOwner = random.pick(OWNERS)
    const [app, protocol] = [random.pick(house.apps), random.pick(['http', 'grpc'] as const)]
    let isTaken = false
    const work = tryLock(await app.blocks(), protocol, {storeName: 'locks', resourceId, lockOwner, expiryInSeconds})
    const {outcome, why} = await outcomeOf(
      work.then(done => (isTaken = done)),
      protocol
    )
    if (!isThere(house, {app, store: 'locks'}, outcome, why)) return undefined
    if (outcome !== 'ok') house.fault(`lock: ${outcome} ${why}`)
    if (isTaken) house.locks.set(resourceId, {owner: lockOwner, until: Date.now() + expiryInSeconds * 1000})
    return isTaken
  })
  if (random.oneIn(3)) await happen(house, random)
  const taken = (await Promise.all(tries)).filter(each => each !== undefined)
  const wins = taken.filter(Boolean).length
  if (taken.length > 0 && wins !== (isHeld ? 0 : 1))
    house.fault(`${wins} of ${taken.length} take the lock, which is ${isHeld ? '' : 'not '}held`)
}

async function letGo(house: House, random: Random): Promise<void> {
  const resourceId = random.pick(['one', 'two'])
  const lockOwner = random.pick(OWNERS)
  const [app, protocol] = [random.pick(house.apps), random.pick(['http', 'grpc'] as const)]
  let status = -1
  const work = unlock(await app.blocks(), protocol, {storeName: 'locks', resourceId, lockOwner})
  const {outcome, why} = await outcomeOf(
    work.then(done => (status = done)),
    protocol
  )
  if (!isThere(house, {app, store: 'locks'}, outcome, why)) return
  const held = house.locks.get(resourceId)
  const wanted = held === undefined || held.until <= Date.now() ? 1 : held.owner === lockOwner ? 0 : 2
  if (status !== wanted) house.fault(`unlock: ${status} (${outcome} ${why}), and not ${wanted}`)
  if (status === 0) house.locks.delete(resourceId)
}

async function setValue(house: House): Promise<void> {
  await house.configure(`c${++values}`)
}

async function subscribe(house: House, random: Random): Promise<void> {
  const app = random.pick(house.apps)
  let id = ''
  const query = random.oneIn(2) ? '?key=color' : ''
  const work = byHttp(await app.blocks(), 'SubscribeConfiguration', {params: ['config'], query})
  const {outcome, why} = await outcomeOf(
    work.then(({body}) => ({id} = JSON.parse(body) as {id: string})),
    'http'
  )
  if (isThere(house, {app, store: 'config'}, outcome, why) && outcome === 'ok')
    app.told.set(id, app.told.get(id) ?? house.value)
}

async function unsubscribe(house: House, random: Random): Promise<void> {
  const app = random.pick(house.apps)
  const id = random.pick([...app.told.keys(), ''])
  const {status} = await byHttp(await app.blocks(), 'UnsubscribeConfiguration', {params: ['config', id]}).catch(() => ({
    status: 500
  }))
  if (status === 200) app.told.delete(id)
}

const HOW = ['touch', 'touch', 'break', 'remove', 'put back', 'put back', 'of one'] as const

/** How often each is made, and what it does. */
export const KINDS: Readonly<
  Record<string, readonly [weight: number, (house: House, random: Random) => Promise<void> | void]>
> = {
  save: [8, async (house, random) => write(house, random, 'upsert', random.oneIn(3))],
  delete: [3, async (house, random) => write(house, random, 'delete', random.oneIn(3))],
  transact: [5, writeTogether],
  get: [6, readOne],
  'get all': [3, readAll],
  'at once': [5, writeAtOnce],
  race: [3, race],
  lock: [3, async (house, random) => lock(house, random, 1 + random.below(3))],
  unlock: [2, letGo],
  edit: [6, (house, random) => house.edit(random.pick(NAMES), random.pick(HOW))],
  'end other': [1, async house => house.endOther()],
  pass: [2, (_, random) => mock.timers.setTime(Date.now() + 1000 * random.pick([1, 3, 40]))],
  configure: [3, setValue],
  subscribe: [2, subscribe],
  unsubscribe: [1, unsubscribe]
}
