import {containing, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {parseId} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'
import {dropAcknowledged} from './stream-trim.ts'

export const STREAM_GROUPS: CommandTable = {
  xgroup: {
    ...containing(
      {
        create: writes(-5, create),
        setid: changes('setid', -5, setPosition),
        destroy: changes('destroy', 4, (stream, {name}) => Number(stream.groups.delete(name))),
        createconsumer: changes('createconsumer', 5, (_, group, [consumer = '']) => {
          group.consumer(consumer, Date.now())
          return 1
        }),
        delconsumer: changes('delconsumer', 5, (_, group, [consumer = '']) => group.deleteConsumer(consumer))
      },
      [2, 2, 1]
    ),
    isWrite: true,
    grows: ([, subcommand = '']) => /^create/i.test(subcommand)
  },
  xack: writes(-4, ({db}, [key = '', name = '', ...texts]) => {
    const ids = texts.map(text => parseId(text))
    const stream = db.stream(key)
    const group = stream?.groups.get(name)
    if (stream === undefined || group === undefined) return 0
    const count = ids.filter(id => group.acknowledge(id)).length
    if (count > 0) {
      dropAcknowledged(stream)
      stream.changes?.groups.add(name)
      db.note(key, count)
    }
    return count
  })
}

const keyMissing = (): RedisError =>
  new RedisError(
    'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.'
  )

type Change = (stream: Stream, group: ConsumerGroup, args: readonly string[]) => Result

/** Returns a command that changes an existing group. */
function changes(subcommand: string, arity: number, change: Change): CommandDefinition {
  return writes(arity, ({db}, [key = '', name = '', ...args]) => {
    const stream = db.stream(key)
    if (stream === undefined) throw keyMissing()
    const group = stream.groups.get(name)
    if (group === undefined) {
      if (subcommand === 'destroy') return 0
      throw new RedisError(`NOGROUP No such consumer group '${name}' for key name '${key}'`)
    }
    const isKnown = group.consumers.has(args[0] ?? '')
    if (isKnown ? subcommand === 'createconsumer' : subcommand === 'delconsumer') return 0
    const result = change(stream, group, args)
    stream.changes?.groups.add(name)
    db.changed(key, 't', `xgroup-${subcommand}`)
    return result
  })
}

function setPosition(stream: Stream, group: ConsumerGroup, [id = '', ...options]: readonly string[]): Result {
  const read = entriesRead(options)
  group.lastId = id === '$' ? stream.lastId : parseId(id)
  group.entriesRead = read
  return OK_STATUS
}

function create({db}: Session, [key = '', name = '', id = '', ...options]: readonly string[]): Result {
  const isCreating = options[0]?.toUpperCase() === 'MKSTREAM' || options.at(-1)?.toUpperCase() === 'MKSTREAM'
  const read = entriesRead(options.filter(option => option.toUpperCase() !== 'MKSTREAM'))
  const existing = db.stream(key)
  if (existing === undefined && !isCreating) throw keyMissing()
  const lastId = id === '$' ? (existing?.lastId ?? {ms: 0, seq: 0}) : parseId(id)
  if (existing?.groups.has(name) === true) throw new RedisError('BUSYGROUP Consumer Group name already exists')
  const stream = existing ?? new Stream(db.isStored)
  stream.createGroup(name, lastId, read)
  db.put(key, stream)
  db.changed(key, 't', 'xgroup-create')
  return OK_STATUS
}

/** Reads the option ENTRIESREAD; -1 means unknown. */
function entriesRead([word, text, ...rest]: readonly string[]): number | undefined {
  if (word === undefined) return undefined
  if (word.toUpperCase() !== 'ENTRIESREAD' || text === undefined || rest.length > 0) throw syntaxError()
  const count = integer(text)
  if (count < -1) throw new RedisError('ERR value for ENTRIESREAD must be positive or -1')
  return count === -1 ? undefined : count
}
