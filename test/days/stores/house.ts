import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setImmediate as turn} from 'node:timers/promises'
import {ComponentSet} from '../../../src/dapr/components/component-set.ts'
import {RedisServers} from '../../../src/dapr/components/redis/redis-servers.ts'
import type {Blocks} from '../../../src/dapr/sidecar/blocks/blocks.ts'
import {SidecarBlocks, type SharedContext} from '../../../src/dapr/sidecar/sidecar-blocks.ts'
import type {OpenSidecarOptions} from '../../../src/dapr/sidecar/sidecar-options.ts'
import type {ComponentResource} from '../../../src/files/resources/components.ts'
import {DEFAULT_CONFIGURATION} from '../../../src/files/resources/defaults.ts'
import type {RedisConnection} from '#redis'
import {Random} from '../../fuzz/random.ts'
import {componentResource} from '../../rig/component-resource.ts'
import {freePort} from '../../rig/free-port.ts'
import {StoreModel, type Sort} from './model.ts'
import {slowConnection} from './slow-connection.ts'

/** The state stores, by the sorts that they are of. */
export const STORES: Readonly<Record<string, Sort>> = {mem: 'memory', lite: 'sqlite', red: 'redis', sealed: 'redis'}
export const NAMES = [...Object.keys(STORES), 'locks', 'config', 'vault']
export const KEYS = ['k', 'l', 'm*']
/** The database of configuration. */
const CONFIG_DATABASE = 2
/** No log and no error has it. */
const SECRET = '0123456789abcdef0123456789abcdef'

/** The file of a component. */
interface File {
  edit: number
  isBroken: boolean
  /** Whose app has it. */
  apps: readonly string[]
}

/** What an app has of a component; unknown: it was edited twice in an instant. */
type Effect = boolean | 'unknown'

/** An app with its sidecar. */
export class App {
  readonly name: string
  components: readonly ComponentResource[] = []
  readonly effects = new Map<string, Effect>()
  /** Components that were edited since all was at rest. */
  readonly edited = new Set<string>()
  /** What its subscriptions to configuration got last, by their ids. */
  readonly told = new Map<string, string>()
  #listener: (snapshot: object) => void = () => undefined
  #changes = 0
  #followed = 0
  readonly sidecar: SidecarBlocks

  constructor(name: string, house: House) {
    this.name = name
    // oxlint-disable-next-line typescript/no-this-alias -- its getters read the app
    const app = this
    const options = {
      env: {PILLION_DAPRD: 'never'},
      runtime: {fault: '', opening: {faults: new Map()}, plan: {folder: house.folder, resources: {areOptional: true}}},
      resources: {
        get snapshot() {
          return {components: app.components, configuration: DEFAULT_CONFIGURATION}
        },
        onChange: (listener: (snapshot: object) => void) => {
          this.#listener = listener
          return () => undefined
        },
        warn: (_: string, text: string) => house.say(text)
      },
      components: async () => Promise.resolve(house.set)
    } as unknown as OpenSidecarOptions
    const context = {
      appId: name,
      instance: name,
      isHttpApp: true,
      namespace: '',
      lives: () => [1],
      whyMissing: () => '',
      postToApp: async (_: string, body: string) => {
        const {id, items} = JSON.parse(body) as {id: string; items: Record<string, {value?: string}>}
        this.told.set(id, Object.values(items)[0]?.value ?? '')
        return Promise.resolve('')
      },
      policies: () => undefined,
      counted: () => undefined,
      startSpan: () => undefined,
      work: {},
      actors: {},
      log: {
        isDebug: true,
        write: (_: string, text: string) => house.say(text),
        warn: (_: string, text: string) => house.say(text)
      }
    } as unknown as SharedContext
    this.sidecar = new SidecarBlocks(options, context, async () => Promise.resolve(undefined))
    this.sidecar.onComponents(() => this.#followed++)
  }

  async blocks(): Promise<Blocks> {
    return this.sidecar.load()
  }

  change(components: readonly ComponentResource[]): void {
    this.components = components
    this.#changes++
    this.#listener({components})
  }

  /** Its files are followed. */
  async rest(): Promise<void> {
    for (let turns = 0; this.#followed < this.#changes; turns++) {
      if (turns > 20_000) throw new Error(`${this.name} never follows its files`)
      await turn()
    }
  }
}

/** Two apps that have the same stores. */
export class House {
  readonly folder = mkdtempSync('/tmp/stores-')
  readonly faults: string[] = []
  readonly files = new Map<string, File>()
  readonly models = new Map<string, StoreModel>()
  /** Who holds a lock, and until when. */
  readonly locks = new Map<string, {readonly owner: string; readonly until: number}>()
  readonly apps: readonly App[]
  readonly set: ComponentSet
  readonly #servers: RedisServers
  /** Another run, which has the Redis; undefined: this one has it. */
  #other: RedisServers | undefined
  readonly #port: number
  #edits = 0
  /** Of configuration. */
  value = ''
  /** Connections to the databases of Redis: those of state, and that of configuration. */
  readonly #databases: RedisConnection[] = []

  private constructor(port: number, seed: number) {
    this.#port = port
    const env = {XDG_STATE_HOME: this.folder}
    const options = {env, isOwnPort: () => false, reporter: {warn: () => undefined} as never}
    this.#servers = new RedisServers(options)
    if (seed % 2 === 0) this.#other = new RedisServers(options)
    const random = new Random('turns', seed)
    const connect: RedisServers['connect'] = async (...target) =>
      slowConnection(await this.#servers.connect(...target), random)
    this.set = new ComponentSet({env, redis: {connect}})
    for (const [name, sort] of Object.entries(STORES))
      // SQLite has the time of the machine, which stays as it is
      this.models.set(name, new StoreModel(sort, sort === 'sqlite' ? () => 0 : () => Date.now()))
    writeFileSync(join(this.folder, 'secrets.json'), JSON.stringify({key: SECRET}))
    for (const name of NAMES) this.files.set(name, {edit: 0, isBroken: false, apps: ['a', 'b']})
    this.apps = [new App('a', this), new App('b', this)]
  }

  static async open(seed: number): Promise<House> {
    const house = new House(await freePort(), seed)
    const address = {host: 'localhost', port: house.#port}
    await house.#other?.connect(address)
    for (const database of [0, 1, CONFIG_DATABASE])
      house.#databases.push(await house.#servers.connect({...address, database}))
    for (const name of NAMES) house.note(name)
    house.change()
    for (const app of house.apps) await app.sidecar.open()
    await house.rest()
    return house
  }

  fault(text: string): void {
    if (this.faults.length < 5) this.faults.push(text)
  }

  /** Something is said to the user. */
  say(text: string): void {
    if (text.includes(SECRET)) this.fault(`a secret is told: ${text}`)
  }

  /** A component is edited: what its apps have of it then. */
  note(name: string): void {
    for (const app of this.apps) app.edited.add(name)
  }

  edit(name: string, how: 'touch' | 'break' | 'remove' | 'put back' | 'of one'): void {
    const file = this.files.get(name)
    if (file === undefined) return
    file.edit = ++this.#edits
    file.isBroken = how === 'break'
    if (how === 'remove') file.apps = []
    if (how === 'put back') file.apps = ['a', 'b']
    if (how === 'of one') file.apps = file.edit % 2 === 0 ? ['a'] : ['b']
    for (const app of this.apps) {
      // two edits in one instant may be followed as one
      if (app.edited.has(name)) app.effects.set(name, 'unknown')
      app.edited.add(name)
    }
    this.change()
  }

  change(): void {
    for (const app of this.apps)
      app.change(
        [...this.files]
          .filter(([, {apps}]) => apps.includes(app.name))
          .map(([name, file]) => this.#resource(name, file))
      )
  }

  /** The other run ends, so that this one becomes the Redis. */
  async endOther(): Promise<void> {
    const other = this.#other
    this.#other = undefined
    await other?.close()
  }

  async configure(value: string): Promise<void> {
    this.value = value
    await this.#databases[CONFIG_DATABASE]?.command(['SET', 'color', value])
  }

  /** Whether items of Redis expire when they should. */
  async #checkExpiry(): Promise<void> {
    for (const [at, store] of ['red', 'sealed'].entries())
      for (const key of KEYS) {
        const wanted = this.models.get(store)?.find(key)?.expiresAt
        const found = Number(await this.#databases[at]?.command(['PEXPIRETIME', `${store}||${key}`]))
        if (found !== (wanted === Infinity ? -1 : (wanted ?? -2)))
          this.fault(`${key} of ${store} expires at ${found - Date.now()}, and not at ${(wanted ?? 0) - Date.now()}`)
      }
  }

  /** Files are followed. */
  async rest(): Promise<void> {
    for (const app of this.apps) await app.rest()
    for (let turns = 0; turns < 5; turns++) await turn()
    for (const app of this.apps) {
      const isReopened = app.edited.has('sealed')
      // all that could not be opened is tried again
      if (app.edited.has('vault')) app.edited.add('sealed')
      const edited = [...app.edited].toSorted((a, b) => Number(b === 'vault') - Number(a === 'vault'))
      app.edited.clear()
      for (const name of edited) app.effects.set(name, this.#effectOf(app, name))
      // it may have been opened before its vault was gone
      if (edited.includes('vault') && isReopened && app.effects.get('sealed') === false)
        if (this.files.get('sealed')?.apps.includes(app.name) === true) app.effects.set('sealed', 'unknown')
    }
    await this.#checkExpiry()
  }

  async close(): Promise<void> {
    for (const app of this.apps) await app.sidecar.close()
    for (const each of this.#databases) await each.close()
    await this.#servers.close()
    await this.endOther()
    rmSync(this.folder, {recursive: true, force: true})
  }

  #effectOf(app: App, name: string): Effect {
    const {isBroken, apps} = this.files.get(name) as File
    if (!apps.includes(app.name)) return false
    // its key is in the vault
    const vault = name === 'sealed' ? (app.effects.get('vault') ?? false) : true
    const before = app.effects.get(name) ?? false
    if (isBroken) return before
    if (vault === true || before === true) return true
    return vault === false && before === false ? false : 'unknown'
  }

  #resource(name: string, {edit, isBroken}: File): ComponentResource {
    const redis = {redisHost: `localhost:${this.#port}`, redisMaxRetries: edit.toString()}
    const wrong = isBroken ? {redisDB: 'none'} : {}
    const prefix = {keyPrefix: isBroken ? 'a||b' : 'name'}
    switch (name) {
      case 'mem':
        return componentResource(name, 'state.in-memory', {
          ...prefix,
          outboxDiscardWhenMissingState: (edit % 2 === 0).toString()
        })
      case 'lite':
        return componentResource(name, 'state.sqlite', {
          ...prefix,
          connectionString: 'data.db',
          cleanupInterval: `${edit + 1000}s`
        })
      case 'red':
        return componentResource(name, 'state.redis', {...redis, keyPrefix: 'name', ...wrong})
      case 'sealed':
        return this.#sealed({...redis, keyPrefix: 'name', redisDB: '1', ...wrong})
      case 'locks':
        return componentResource(name, 'lock.redis', {...redis, keyPrefix: 'name', ...wrong})
      case 'config':
        return componentResource(name, 'configuration.redis', {
          ...redis,
          redisDB: isBroken ? 'none' : CONFIG_DATABASE.toString()
        })
      default:
        return componentResource(name, 'secretstores.local.file', {
          secretsFile: isBroken ? 'none.json' : 'secrets.json',
          nestedSeparator: edit.toString()
        })
    }
  }

  #sealed(metadata: Readonly<Record<string, string>>): ComponentResource {
    const resource = componentResource('sealed', 'state.redis', metadata)
    const secret = {name: 'key', key: 'key'}
    const key = {name: 'primaryEncryptionKey', value: '', secret, envRef: '', place: resource.place}
    return {...resource, secretStore: 'vault', properties: [...resource.properties, key]}
  }
}
