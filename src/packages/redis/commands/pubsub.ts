import {keyless, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import {unknownSubcommand} from '../engine/errors.ts'
import {matching} from '../engine/pattern.ts'
import {Push, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'

type Change = (session: Session, name: string) => void

export const PUBSUB_COMMANDS: CommandTable = {
  publish: keyless(3, ({engine}, [channel = '', message = '']) => engine.channels.publish(channel, message)),
  subscribe: subscribes('subscribe', (session, name) => session.engine.channels.subscribe(session, name)),
  psubscribe: subscribes('psubscribe', (session, name) => session.engine.channels.subscribePattern(session, name)),
  unsubscribe: unsubscribes(
    'unsubscribe',
    ({channels}) => channels,
    (session, name) => session.engine.channels.unsubscribe(session, name)
  ),
  punsubscribe: unsubscribes(
    'punsubscribe',
    ({patterns}) => patterns,
    (session, name) => session.engine.channels.unsubscribePattern(session, name)
  ),
  pubsub: keyless(-2, inspect)
}

/** One confirmation for each name: all but the last are pushed, the last is the answer. */
function confirm(session: Session, word: string, names: readonly (string | null)[], change: Change): Result {
  let last: Result = null
  for (const [at, name] of names.entries()) {
    if (name !== null) change(session, name)
    const items = [word, name, session.subscriptions]
    if (at === names.length - 1) last = new Push(items)
    else session.push(items)
  }
  return last
}

function subscribes(word: string, change: Change): CommandDefinition {
  return keyless(-2, (session, names) => confirm(session, word, names, change))
}

function unsubscribes(word: string, own: (session: Session) => ReadonlySet<string>, change: Change): CommandDefinition {
  return keyless(-1, (session, names) => {
    const all = names.length > 0 ? names : [...own(session)]
    return confirm(session, word, all.length > 0 ? all : [null], change)
  })
}

function inspect({engine}: Session, [given = '', ...names]: readonly string[]): Result {
  const {channels} = engine
  switch (given.toLowerCase()) {
    case 'channels':
      return names[0] === undefined ? channels.names : matching(channels.names, names[0])
    case 'numsub':
      return names.flatMap(name => [name, channels.subscribers(name)])
    case 'numpat':
      return channels.patternCount
    default:
      throw unknownSubcommand('PUBSUB', given)
  }
}
