import {DELETE_SCRIPT, itemsIn, type RedisConnection, RedisError, type RedisReply, SAVE_SCRIPT} from '#redis'
import {STATE_CAPABILITIES} from '../../../files/resources/component-types.ts'
import {messageOf} from '../../../model/errors.ts'
import {Once} from '../../../model/once.ts'
import type {OpenComponent} from '../component.ts'
import {textNamed} from '../component-values.ts'
import {because} from '../properties.ts'
import {openRedis} from '../redis/open-redis.ts'
import {
  EtagError,
  PartlyRefused,
  type DeleteRequest,
  type SetRequest,
  type StateItem,
  type StateStore
} from '../state-store.ts'

/** Maximum time that a save with `consistency: strong` waits for replicas, in ms. */
const REPLICA_MS = 1000

/** `state.redis`: an item is a hash with `data` and `version` (components-contrib: state/redis). */
export const open: OpenComponent<StateStore> = async options => {
  const {properties} = options
  const ttl = properties.has('ttlInSeconds') ? properties.integer('ttlInSeconds', 0) : undefined
  return new RedisState(await openRedis('redis store: error connecting to redis', options), ttl)
}

type Command = readonly (string | Buffer)[]

class RedisState implements StateStore {
  readonly capabilities = STATE_CAPABILITIES
  readonly queryFault = 'redis-json server support is required for query capability'
  readonly #redis: RedisConnection
  /** A connection for saves that wait for replicas, which block the commands behind them. */
  readonly #strong = new Once<RedisConnection>()
  /** Time to live in seconds of items that do not name one; undefined: they do not expire. */
  readonly #defaultTtl: number | undefined

  constructor(redis: RedisConnection, defaultTtl: number | undefined) {
    this.#redis = redis
    this.#defaultTtl = defaultTtl
  }

  async get(key: string): Promise<StateItem | undefined> {
    let reply: RedisReply
    try {
      reply = await this.#redis.command(['HGETALL', key])
    } catch (error) {
      if (!messageOf(error).startsWith('WRONGTYPE')) throw error
      // a value that another program has written as a plain text
      const data = await this.#redis.command(['GET', key])
      return Buffer.isBuffer(data) ? {data, etag: '', metadata: {}} : undefined
    }
    return itemOf(reply)
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const pattern = `${prefix.replaceAll(/[*?[\]\\^]/g, String.raw`\$&`)}*`
    const found = new Set<string>()
    let cursor = '0'
    do {
      const reply = await this.#redis.command(['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'])
      const [next, keys] = itemsIn(reply)
      for (const key of itemsIn(keys)) found.add(String(key))
      cursor = String(next)
    } while (cursor !== '0' && found.size < limit)
    return [...found].slice(0, limit)
  }

  async set(request: SetRequest): Promise<void> {
    const {key, options} = request
    const save = saveCommand(request)
    const expire = this.#expire(request)
    const isStrong = options.consistency === 'strong'
    const redis = isStrong ? await this.#strong.do(async () => this.#redis.duplicate()) : this.#redis
    try {
      await redis.command(save)
    } catch (error) {
      if (!(error instanceof RedisError)) throw error
      if (etagOf(request) !== '') throw new EtagError('mismatch', error.message)
      throw new Error(`failed to set key ${key}: ${error.message}`, {cause: error})
    }
    // a refused save does not change the time to live
    if (expire !== undefined) await redis.command(expire).catch(because(`failed to set key ${key} ttl`))
    if (!isStrong) return
    const node = (await redis.nodeOf?.(key)) ?? redis
    const info = await node.command(['INFO', 'replication']).catch((error: unknown) => {
      if (!(error instanceof RedisError)) throw error
      return '' // the item is saved, although we have no permission for INFO
    })
    const replicas = /connected_slaves:(\d+)/.exec(String(info))?.[1] ?? '0'
    if (replicas !== '0') await node.command(['WAIT', replicas, REPLICA_MS.toString()])
  }

  async delete(request: DeleteRequest): Promise<void> {
    await this.#redis.command(deleteCommand(request)).catch((error: unknown) => {
      throw error instanceof RedisError ? new EtagError('mismatch', error.message) : error
    })
  }

  /** Runs the operations in one MULTI: a step that is refused does not undo the others. */
  async transact(operations: Parameters<StateStore['transact']>[0]): Promise<void> {
    // a refused save does not change the time to live
    const ifSaved = new Map<number, Command>()
    const commands = operations.flatMap(({kind, request}, of) => {
      if (kind === 'delete') return [{of, command: deleteCommand(request)}]
      const save = {of, command: saveCommand(request)}
      const expire = this.#expire(request)
      if (expire === undefined) return [save]
      if (etagOf(request) === '' && request.options.concurrency !== 'first-write') return [save, {of, command: expire}]
      ifSaved.set(of, expire)
      return [save]
    })
    const replies = await this.#redis.transaction(commands.map(({command}) => command))
    const refused = new Set(commands.filter((_, at) => replies[at] instanceof RedisError).map(({of}) => of))
    // the last of several operations on a key counts
    const expiries = new Map<string, Command>()
    for (const [of, {kind, request}] of operations.entries()) {
      const expire = ifSaved.get(of)
      if (refused.has(of)) continue
      if (expire !== undefined) expiries.set(request.key, expire)
      else if (kind === 'delete' || this.#expire(request) !== undefined) expiries.delete(request.key)
    }
    const expired = expiries.size > 0 ? await this.#redis.transaction([...expiries.values()]) : []
    const error = [...replies, ...expired].find(reply => reply instanceof RedisError)
    if (error !== undefined) throw new PartlyRefused(messageOf(error), refused)
  }

  async close(): Promise<void> {
    await this.#redis.close()
    await (await this.#strong.begun?.catch(() => undefined))?.close()
  }

  #expire({key, metadata}: SetRequest): Command | undefined {
    const ttl = ttlIn(metadata) ?? this.#defaultTtl
    if (ttl === undefined) return undefined
    return ttl > 0 ? ['EXPIRE', key, ttl.toString()] : ['PERSIST', key]
  }
}

/** Returns the ETag that a request expects; an empty string for any. */
const etagOf = ({etag, options}: DeleteRequest): string => (options.concurrency === 'last-write' ? '' : etag)

function saveCommand(request: SetRequest): Command {
  const etag = etagOf(request)
  if (etag !== '' && !/^[-+]?\d+$/.test(etag))
    throw new EtagError('invalid', `strconv.Atoi: parsing ${JSON.stringify(etag)}: invalid syntax`)
  const {key, value, options} = request
  return ['EVAL', SAVE_SCRIPT, '1', key, etag || '0', value, options.concurrency === 'first-write' ? '0' : '2']
}

const deleteCommand = ({key, etag}: DeleteRequest): Command => ['EVAL', DELETE_SCRIPT, '1', key, etag || '0']

function ttlIn(metadata: Readonly<Record<string, string>>): number | undefined {
  const text = textNamed(metadata, 'ttlInSeconds')
  if (text === '') return undefined
  if (/^[-+]?\d+$/.test(text)) return Number(text)
  throw new Error(
    `failed to parse ttl from metadata: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`
  )
}

/** A hash without the fields of an item is not one (Dapr's text). */
function itemOf(reply: RedisReply): StateItem | undefined {
  const pairs = itemsIn(reply)
  if (pairs.length === 0) return undefined
  const fields = new Map<string, RedisReply>()
  for (let at = 0; at < pairs.length; at += 2) fields.set(String(pairs[at]), pairs[at + 1] ?? null)
  const [data, version] = [fields.get('data'), fields.get('version')]
  if (!Buffer.isBuffer(data) || !Buffer.isBuffer(version))
    throw new Error("required hash field 'data' or 'version' was not found")
  return {data, etag: version.toString(), metadata: {}}
}
