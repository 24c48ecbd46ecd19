import {RedisError} from './result.ts'

/** The kinds of keyspace notifications: generic, string, list, set, hash, sorted set, expired, stream. */
export type NotificationKind = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 'x' | 't'

/** The classes that `A` includes. */
const ALL = ['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'd']
const KNOWN = new Set([...ALL, 'K', 'E', 'm', 'n', 'A'])

/** The value of `notify-keyspace-events`. */
export class NotificationSettings {
  #flags = new Set<string>()

  /** Sets the classes. Throws for an unknown character. */
  set(text: string): void {
    for (const flag of text) {
      if (!KNOWN.has(flag))
        throw new RedisError(
          "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
        )
    }
    this.#flags = new Set(text.replaceAll('A', ALL.join('')))
  }

  /** The setting in Redis' order, `A` for all. */
  get text(): string {
    const has = (flag: string): boolean => this.#flags.has(flag)
    return (ALL.every(has) ? 'A' : ALL.filter(has).join('')) + ['K', 'E', 'n', 'm'].filter(has).join('')
  }

  channels(
    kind: NotificationKind,
    event: string,
    key: string,
    database: number
  ): readonly (readonly [string, string])[] {
    if (!this.#flags.has(kind)) return []
    const at = `@${database}__:`
    return [
      ...(this.#flags.has('K') ? [[`__keyspace${at}${key}`, event] as const] : []),
      ...(this.#flags.has('E') ? [[`__keyevent${at}${event}`, key] as const] : [])
    ]
  }

  get isOn(): boolean {
    return this.#flags.size > 0
  }
}
