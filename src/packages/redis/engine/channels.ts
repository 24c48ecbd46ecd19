import {join, leave} from './keyed-sets.ts'
import {MatchBudget, matches} from './pattern.ts'
import type {Result} from './result.ts'

const KINDS = ['channels', 'patterns'] as const
export type ChannelKind = (typeof KINDS)[number]

/** A connection that listens to channels, by their names or by patterns. */
interface Subscriber extends Readonly<Record<ChannelKind, Set<string>>> {
  push(items: readonly Result[]): void
}

/** Channels and patterns, with their subscribers. */
export class Channels {
  readonly #listening: Readonly<Record<ChannelKind, Map<string, Set<Subscriber>>>> = {
    channels: new Map(),
    patterns: new Map()
  }

  subscribe(session: Subscriber, kind: ChannelKind, name: string): void {
    session[kind].add(name)
    join(this.#listening[kind], name, session)
  }

  unsubscribe(session: Subscriber, kind: ChannelKind, name: string): void {
    if (session[kind].delete(name)) leave(this.#listening[kind], name, session)
  }

  leaveAll(session: Subscriber): void {
    for (const kind of KINDS) for (const name of session[kind]) this.unsubscribe(session, kind, name)
  }

  /** Delivers a message. Returns the number of receivers. Throws a RedisError, and delivers nothing, if matching the patterns costs too much. */
  publish(channel: string, message: string): number {
    const budget = new MatchBudget()
    const matched = [...this.#listening.patterns].filter(([pattern]) => matches(pattern, channel, budget))
    let receivers = 0
    for (const session of this.#listening.channels.get(channel) ?? []) {
      session.push(['message', channel, message])
      receivers++
    }
    for (const [pattern, sessions] of matched) {
      for (const session of sessions) {
        session.push(['pmessage', pattern, channel, message])
        receivers++
      }
    }
    return receivers
  }

  /** The channels with subscribers. */
  get names(): readonly string[] {
    return [...this.#listening.channels.keys()]
  }

  get patternCount(): number {
    return this.#listening.patterns.size
  }

  subscribers(channel: string): number {
    return this.#listening.channels.get(channel)?.size ?? 0
  }
}
