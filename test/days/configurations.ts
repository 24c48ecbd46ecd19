import {mock} from 'node:test'
import type {ConfigurationItems, ConfigurationStore} from '../../src/dapr/components/configuration-store.ts'
import type {BlockContext} from '../../src/dapr/sidecar/blocks/block-context.ts'
import {Configurations} from '../../src/dapr/sidecar/blocks/configurations.ts'
import {Random} from '../fuzz/random.ts'
import type {WalkKind, WalkStep} from './walks.ts'

const KEY = 'color'

/** A store of configuration: who listens there, and how it takes the next one who wants to. */
class InventedStore implements Pick<ConfigurationStore, 'get' | 'subscribe'> {
  readonly listeners = new Set<(value: string) => void>()
  mood: 'quick' | 'slow' | 'failing' = 'quick'
  isClosed = false
  #answers: (() => void)[] = []

  async subscribe(
    _keys: readonly string[],
    _metadata: object,
    changed: (items: ConfigurationItems) => void
  ): Promise<() => Promise<void>> {
    if (this.mood === 'failing') throw new Error('it does not answer')
    if (this.mood === 'slow') await new Promise<void>(resolve => this.#answers.push(resolve))
    if (this.isClosed) throw new Error('it is closed')
    const listener = (value: string): void => changed({[KEY]: {value, version: '', metadata: {}}})
    this.listeners.add(listener)
    return async () => void this.listeners.delete(listener)
  }

  async get(): Promise<ConfigurationItems> {
    return Promise.resolve({})
  }

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer()
  }

  change(value: string): void {
    for (const listener of this.listeners) listener(value)
  }

  close(): void {
    this.isClosed = true
    this.listeners.clear()
    this.answer()
  }
}

/** A subscription of the app. */
interface Asked {
  /** The process that has asked; undefined: a stream. */
  readonly birth: number | undefined
  readonly got: string[]
  id: string
  isOver: boolean
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
}

/** An app that reads one store of configuration, which edits open again: for all who have it, or for this app alone. */
class ConfiguredApp {
  readonly faults: string[] = []
  store = new InventedStore()
  readonly #before: InventedStore[] = []
  /** The starts of its processes, first that of the one that gets the calls. */
  lives: readonly number[] = [1]
  #births = 1
  #values = 0
  readonly asked = new Set<Asked>()
  readonly block: Configurations

  constructor() {
    const find = async (): Promise<object> => ({component: this.store})
    this.block = new Configurations({
      lives: () => this.lives,
      component: find,
      components: {find},
      outbound: async (_: object, work: () => Promise<unknown>) => work(),
      log: {isDebug: false, write: () => undefined, warn: () => undefined}
    } as unknown as BlockContext)
  }

  subscribe(isStream: boolean): void {
    const asked: Asked = {birth: isStream ? undefined : Math.max(...this.lives), got: [], id: '', isOver: false}
    const request = {storeName: 'config', keys: [], metadata: {}, isOfProcess: !isStream}
    const changed = async (_: string, items: ConfigurationItems): Promise<void> =>
      void asked.got.push(items[KEY]?.value ?? '')
    const subscribed = this.block.subscribe(request, changed)
    void subscribed.then(
      id => this.asked.add(Object.assign(asked, {id})),
      () => undefined // the app has heard that the store does not take it
    )
  }

  unsubscribe(random: Random): void {
    const open = [...this.asked].filter(each => this.#isAlive(each))
    if (open.length === 0) return
    const one = random.pick(open)
    one.isOver = true
    if (one.birth === undefined) void this.block.drop(one.id)
    else void this.block.unsubscribe('config', one.id).catch(() => undefined)
  }

  edit(isForAll: boolean): void {
    const before = this.store
    this.store = new InventedStore()
    this.#before.push(before)
    void this.block.renew()
    if (isForAll) before.close()
  }

  start(): void {
    if (this.lives.length < 2) this.#live([...this.lives, ++this.#births])
  }

  /** A process that waits to take over does. */
  end(): void {
    this.#live(this.lives.slice(1))
  }

  #live(lives: readonly number[]): void {
    this.lives = lives
    this.block.followProcesses()
  }

  /** All that waits comes; then each subscription must listen once, and hear of a change once. */
  async rest(): Promise<void> {
    for (let second = 0; second < 4; second++) {
      for (const each of this.#stores) {
        each.mood = 'quick'
        each.answer()
      }
      await settled()
      mock.timers.tick(1000)
      await settled()
    }
    const value = (++this.#values).toString()
    for (const each of this.#stores) each.change(value)
    await settled()
    for (const {got, birth, ...one} of this.asked) {
      const times = got.filter(each => each === value).length
      const isHeard = this.#isAlive({got, birth, ...one}) && (birth === undefined || birth === this.lives[0])
      if (times !== Number(isHeard)) this.faults.push(`a change comes ${times} times`)
    }
    this.#countListeners([...this.asked].filter(each => this.#isAlive(each)).length)
  }

  async close(): Promise<void> {
    const closed = this.block.close()
    for (const each of this.#stores) each.answer()
    await closed
    await settled()
    this.#countListeners(0)
  }

  get #stores(): readonly InventedStore[] {
    return [...this.#before, this.store]
  }

  #isAlive({birth, isOver}: Asked): boolean {
    return !isOver && (birth === undefined || this.lives.includes(birth))
  }

  #countListeners(wanted: number): void {
    const count = this.#stores.reduce((sum, {listeners}) => sum + listeners.size, 0)
    if (count !== wanted) this.faults.push(`${count} listen, and not ${wanted}`)
  }
}

const KINDS: Readonly<Record<string, (app: ConfiguredApp, random: Random) => void>> = {
  subscribe: app => app.subscribe(false),
  stream: app => app.subscribe(true),
  unsubscribe: (app, random) => app.unsubscribe(random),
  edit: (app, random) => app.edit(random.oneIn(2)),
  mood: (app, random) => {
    app.store.mood = random.pick(['quick', 'slow', 'failing'])
  },
  answer: app => app.store.answer(),
  second: () => mock.timers.tick(1000),
  start: app => app.start(),
  end: app => app.end()
}

async function walkConfigurations(steps: readonly WalkStep[], tally?: Map<string, number>): Promise<readonly string[]> {
  const app = new ConfiguredApp()
  const outcry = (error: unknown): unknown => app.faults.push(`nobody handles: ${String(error)}`)
  process.on('unhandledRejection', outcry)
  mock.timers.enable({apis: ['setTimeout']})
  for (const [at, {kind, a, b, isHurried}] of steps.entries()) {
    KINDS[kind]?.(app, new Random(kind, a, b))
    tally?.set(kind, (tally.get(kind) ?? 0) + 1)
    if (!isHurried) await settled()
    if (at % 10 === 9) await app.rest()
    if (app.faults.length > 0) break
  }
  if (app.faults.length === 0) await app.rest()
  if (app.faults.length === 0) await app.close()
  mock.timers.reset()
  process.off('unhandledRejection', outcry)
  return app.faults
}

export const CONFIGURATIONS: WalkKind = {
  flag: 'configurations',
  kinds: KINDS,
  invented: (seed, count) => {
    const random = new Random('configurations', seed)
    return Array.from({length: count}, () => ({
      kind: random.pick(Object.keys(KINDS)),
      a: random.below(1000),
      b: random.below(1000),
      isHurried: random.oneIn(3)
    }))
  },
  walk: async (_, steps, tally) => ({faults: await walkConfigurations(steps, tally)}),
  sortOf: ([fault = '']) => fault.replaceAll(/\d+/g, '_')
}
