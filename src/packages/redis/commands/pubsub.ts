import {containing, keyless, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {ChannelKind} from '../engine/channels.ts'
import {matching} from '../engine/pattern.ts'
import {Push, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'

export const PUBSUB_COMMANDS: CommandTable = {
  publish: keyless(3, ({engine}, [channel = '', message = '']) => engine.channels.publish(channel, message)),
  subscribe: subscribes('subscribe', 'channels'),
  psubscribe: subscribes('psubscribe', 'patterns'),
  unsubscribe: unsubscribes('unsubscribe', 'channels'),
  punsubscribe: unsubscribes('punsubscribe', 'patterns'),
  pubsub: containing({
    channels: keyless(-2, ({engine}, [pattern]) => {
      const {names} = engine.channels
      return pattern === undefined ? names : matching(names, pattern)
    }),
    numsub: keyless(-2, ({engine}, names) => names.flatMap(name => [name, engine.channels.subscribers(name)])),
    numpat: keyless(2, ({engine}) => engine.channels.patternCount)
  })
}

/** Changes the subscription to each name and confirms it. Pushes all confirmations but the last, which is the reply. */
function confirm(
  session: Session,
  word: string,
  names: readonly (string | null)[],
  change: (name: string) => void
): Result {
  let last: Result = null
  for (const [at, name] of names.entries()) {
    if (name !== null) change(name)
    const items = [word, name, session.subscriptions]
    if (at === names.length - 1) last = new Push(items)
    else session.push(items)
  }
  return last
}

function subscribes(word: string, kind: ChannelKind): CommandDefinition {
  return keyless(-2, (session, names) =>
    confirm(session, word, names, name => session.engine.channels.subscribe(session, kind, name))
  )
}

function unsubscribes(word: string, kind: ChannelKind): CommandDefinition {
  return keyless(-1, (session, names) => {
    const all = names.length > 0 ? names : [...session[kind]]
    return confirm(session, word, all.length > 0 ? all : [null], name =>
      session.engine.channels.unsubscribe(session, kind, name)
    )
  })
}
