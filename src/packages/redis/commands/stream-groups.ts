import {writes, type CommandTable} from '../engine/command.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError, unknownSubcommand, wrongArity} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {parseId} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'
import {dropAcknowledged} from './stream-trim.ts'

export const STREAM_GROUPS: CommandTable = {
  xgroup: {...writes(-2, change, [2, 2, 1]), grows: ([, subcommand = '']) => /^create/i.test(subcommand)},
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

/** Numbers of arguments, the subcommand's key included. */
const ARITY: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['create', [3, 6]],
  ['setid', [3, 5]],
  ['destroy', [2, 2]],
  ['createconsumer', [3, 3]],
  ['delconsumer', [3, 3]]
])

function change(session: Session, [given = '', ...args]: readonly string[]): Result {
  const subcommand = given.toLowerCase()
  const arity = ARITY.get(subcommand)
  if (arity === undefined) throw unknownSubcommand('XGROUP', given)
  if (args.length < arity[0] || args.length > arity[1]) throw wrongArity(`xgroup|${subcommand}`)
  const [key = '', name = '', third = '', ...options] = args
  const {db} = session
  const stream = db.stream(key)
  if (subcommand === 'create') return create(db, key, name, third, options)
  if (stream === undefined) throw keyMissing()
  const group = stream.groups.get(name)
  if (group === undefined) {
    if (subcommand === 'destroy') return 0
    throw new RedisError(`NOGROUP No such consumer group '${name}' for key name '${key}'`)
  }
  const isKnown = group.consumers.has(third)
  if (isKnown ? subcommand === 'createconsumer' : subcommand === 'delconsumer') return 0
  const result = apply(stream, group, subcommand, third, options)
  stream.changes?.groups.add(name)
  db.changed(key, 't', `xgroup-${subcommand}`)
  return result
}

function apply(
  stream: Stream,
  group: ConsumerGroup,
  subcommand: string,
  third: string,
  options: readonly string[]
): Result {
  switch (subcommand) {
    case 'destroy':
      stream.groups.delete(group.name)
      return 1
    case 'createconsumer':
      group.consumer(third, Date.now())
      return 1
    case 'delconsumer':
      return group.deleteConsumer(third)
    default: {
      const read = entriesRead(options)
      group.lastId = third === '$' ? stream.lastId : parseId(third)
      group.entriesRead = read
      return OK_STATUS
    }
  }
}

function create(db: Database, key: string, name: string, id: string, options: readonly string[]): Result {
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

/** The option ENTRIESREAD; -1 means unknown. */
function entriesRead([word, text, ...rest]: readonly string[]): number | undefined {
  if (word === undefined) return undefined
  if (word.toUpperCase() !== 'ENTRIESREAD' || text === undefined || rest.length > 0) throw syntaxError()
  const count = integer(text)
  if (count < -1) throw new RedisError('ERR value for ENTRIESREAD must be positive or -1')
  return count === -1 ? undefined : count
}
