import {setImmediate as turn} from 'node:timers/promises'
import type {RedisConnection} from '#redis'
import type {Random} from '../../fuzz/random.ts'

/** So many turns of the event loop may pass before a command is sent. */
const MOST_TURNS = 6

/** A connection that takes its time, as one to a server far away; answers come in their order. */
export function slowConnection(connection: RedisConnection, random: Random): RedisConnection {
  let last: Promise<unknown> = Promise.resolve()
  const later = async <T>(work: () => Promise<T>): Promise<T> => {
    const turns = random.below(MOST_TURNS)
    const done = last.then(async () => {
      for (let left = turns; left > 0; left--) await turn()
      return work()
    })
    last = done.catch(() => undefined)
    return done
  }
  return {
    command: async (args, signal) => later(async () => connection.command(args, signal)),
    transaction: async commands => later(async () => connection.transaction(commands)),
    subscribe: async (pattern, listener) => later(async () => connection.subscribe(pattern, listener)),
    onServer: listener => connection.onServer?.(listener),
    duplicate: async () => slowConnection(await connection.duplicate(), random),
    close: async () => connection.close()
  }
}
