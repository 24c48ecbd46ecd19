import {join, leave} from './keyed-sets.ts'
import {MatchBudget, matches} from './pattern.ts'
import type {Result} from './result.ts'

/** A connection that listens to channels. */
interface Subscriber {
  readonly channels: Set<string>
  readonly patterns: Set<string>
  push(items: readonly Result[]): void
}

/** Channels and patterns, and who listens. */
export class Channels {
  readonly #channels = new Map<string, Set<Subscriber>>()
  readonly #patterns = new Map<string, Set<Subscriber>>()

  subscribe(session: Subscriber, channel: string): void {
    session.channels.add(channel)
    join(this.#channels, channel, session)
  }

  subscribePattern(session: Subscriber, pattern: string): void {
    session.patterns.add(pattern)
    join(this.#patterns, pattern, session)
  }

  unsubscribe(session: Subscriber, channel: string): void {
    if (session.channels.delete(channel)) leave(this.#channels, channel, session)
  }

  unsubscribePattern(session: Subscriber, pattern: string): void {
    if (session.patterns.delete(pattern)) leave(this.#patterns, pattern, session)
  }

  leaveAll(session: Subscriber): void {
    for (const channel of session.channels) this.unsubscribe(session, channel)
    for (const pattern of session.patterns) this.unsubscribePattern(session, pattern)
  }

  /** Delivers a message; returns how many received it. Throws a RedisError, and delivers nothing, if the patterns cost too much. */
  publish(channel: string, message: string): number {
    const budget = new MatchBudget()
    const matched = [...this.#patterns].filter(([pattern]) => matches(pattern, channel, budget))
    let receivers = 0
    for (const session of this.#channels.get(channel) ?? []) {
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
    return [...this.#channels.keys()]
  }

  get patternCount(): number {
    return this.#patterns.size
  }

  subscribers(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0
  }
}
