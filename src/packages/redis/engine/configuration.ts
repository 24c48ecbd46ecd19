import {MatchBudget, matches} from './pattern.ts'
import {RedisError} from './result.ts'
import type {NotificationSettings} from './notifications.ts'

/** Parameters that programs ask for or set; they have no effect here. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  appendfsync: 'everysec',
  appendonly: 'no',
  'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
  databases: '16',
  dir: '/',
  'hash-max-listpack-entries': '512',
  'latency-monitor-threshold': '0',
  maxclients: '10000',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  'min-replicas-to-write': '0',
  'proto-max-bulk-len': '536870912',
  requirepass: '',
  save: '',
  'slowlog-log-slower-than': '10000',
  'slowlog-max-len': '128',
  'stream-node-max-entries': '100',
  'tcp-keepalive': '300',
  timeout: '0'
}

const NOTIFY = 'notify-keyspace-events'

/** The settings of CONFIG GET and CONFIG SET. Only `notify-keyspace-events` has an effect. */
export class RedisConfiguration {
  readonly #values = new Map(Object.entries(WITHOUT_EFFECT))
  readonly #notifications: NotificationSettings

  constructor(notifications: NotificationSettings) {
    this.#notifications = notifications
  }

  /** Returns the parameters that match one of the patterns. */
  get(patterns: readonly string[]): ReadonlyMap<string, string> {
    const all = [...this.#values, [NOTIFY, this.#notifications.text] as const]
    const budget = new MatchBudget()
    const wanted = patterns.map(pattern => pattern.toLowerCase())
    return new Map(all.filter(([name]) => wanted.some(pattern => matches(pattern, name, budget))))
  }

  /** Sets parameters. Throws a RedisError, and sets none, if one is unknown or read-only. */
  set(pairs: readonly (readonly [name: string, value: string])[]): void {
    for (const [given] of pairs) {
      const name = given.toLowerCase()
      if (name !== NOTIFY && !this.#values.has(name))
        throw new RedisError(`ERR Unknown option or number of arguments for CONFIG SET - '${given}'`)
      if (name === 'databases')
        throw new RedisError(
          `ERR CONFIG SET failed (possibly related to argument '${given}') - can't set immutable config`
        )
    }
    for (const [given, value] of pairs) {
      const name = given.toLowerCase()
      if (name === NOTIFY) this.#notifications.set(value)
      else this.#values.set(name, value)
    }
  }
}
