import {syntaxError, unknownSubcommand, wrongArity} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {NIL_ARRAY, OK_STATUS, RedisError, Verbatim, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {ownOf} from '../../../model/own.ts'

type Subcommand = (session: Session, args: readonly string[]) => Result

/** The subcommands of CLIENT. Those without effect here answer as if they had one. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  id: session => session.id,
  getname: ({name}) => (name === '' ? null : name),
  setname: (session, [name = '']) => {
    if (!/^[!-~]*$/.test(name))
      throw new RedisError('ERR Client names cannot contain spaces, newlines or special characters.')
    session.name = name
    return OK_STATUS
  },
  setinfo: (session, [attribute = '', value = '']) => {
    const name = attribute.toLowerCase()
    if (name === 'lib-name') session.libraryName = value
    else if (name === 'lib-ver') session.libraryVersion = value
    else throw new RedisError(`ERR Unrecognized option '${attribute}'`)
    return OK_STATUS
  },
  info: session => new Verbatim(`${describe(session)}\n`),
  list: session => new Verbatim([...session.engine.sessions].map(each => `${describe(each)}\n`).join('')),
  kill,
  unblock: ({engine}, [id = '', how = 'TIMEOUT']) => {
    const target = [...engine.sessions].find(session => session.id === integer(id))
    if (target?.cancelWait === undefined) return 0
    const isError = how.toUpperCase() === 'ERROR'
    target.cancelWait(isError ? new RedisError('UNBLOCKED client unblocked via CLIENT UNBLOCK') : NIL_ARRAY)
    return 1
  },
  reply: (_, [mode = '']) => {
    if (mode.toUpperCase() !== 'ON') throw new RedisError('ERR CLIENT REPLY OFF and SKIP are not supported here')
    return OK_STATUS
  },
  tracking: (_, [mode = '']) => {
    if (mode.toUpperCase() !== 'OFF') throw new RedisError('ERR CLIENT TRACKING is not supported here')
    return OK_STATUS
  },
  trackinginfo: () =>
    new Map<string, Result>([
      ['flags', new Set(['off'])],
      ['redirect', -1],
      ['prefixes', []]
    ]),
  getredir: () => -1,
  pause: () => OK_STATUS,
  unpause: () => OK_STATUS,
  'no-evict': () => OK_STATUS,
  'no-touch': () => OK_STATUS
}

const ARITY: Readonly<Record<string, readonly [least: number, most: number]>> = {
  setname: [1, 1],
  setinfo: [2, 2],
  unblock: [1, 2],
  kill: [1, 20],
  reply: [1, 1],
  id: [0, 0],
  getname: [0, 0]
}

export const client: Subcommand = (session, [given = '', ...args]) => {
  const name = given.toLowerCase()
  const subcommand = ownOf(SUBCOMMANDS, name)
  if (subcommand === undefined) throw unknownSubcommand('CLIENT', given)
  const [least, most] = ownOf(ARITY, name) ?? [0, Infinity]
  if (args.length < least || args.length > most) throw wrongArity(`client|${name}`)
  return subcommand(session, args)
}

/** One line of CLIENT LIST. */
function describe(session: Session): string {
  const [now, at] = [Date.now(), session.since]
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    name: session.name,
    age: Math.trunc((now - at) / 1000),
    idle: Math.trunc((now - session.lastAt) / 1000),
    flags: session.subscriptions > 0 ? 'P' : session.cancelWait === undefined ? 'N' : 'b',
    db: session.db.index,
    sub: session.channels.size,
    psub: session.patterns.size,
    multi: session.queue?.length ?? -1,
    cmd: session.lastCommand,
    user: 'default',
    resp: session.protocol,
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

/** Which clients the filters of CLIENT KILL choose. */
const FILTERS: Readonly<Record<string, (session: Session, value: string) => boolean>> = {
  ID: ({id}, value) => id.toString() === value,
  ADDR: ({address}, value) => address === value,
  LADDR: ({localAddress}, value) => localAddress === value,
  USER: (_, value) => value === 'default',
  TYPE: ({subscriptions}, value) => value.toLowerCase() === (subscriptions > 0 ? 'pubsub' : 'normal')
}

/** CLIENT KILL address, or with filters. */
function kill(session: Session, args: readonly string[]): Result {
  const isOld = args.length === 1
  const words = isOld ? ['ADDR', ...args] : args
  let isSparing = !isOld
  let chosen = [...session.engine.sessions].filter(({address}) => address !== '')
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = [(words[at] ?? '').toUpperCase(), words[at + 1]]
    const isChosen = ownOf(FILTERS, name)
    if (value === undefined || (isChosen === undefined && name !== 'SKIPME')) throw syntaxError()
    if (isChosen === undefined) isSparing = value.toLowerCase() === 'yes'
    else chosen = chosen.filter(each => isChosen(each, value))
  }
  if (isSparing) chosen = chosen.filter(each => each !== session)
  if (isOld && chosen.length === 0) throw new RedisError('ERR No such client')
  for (const each of chosen) each.onKill()
  return isOld ? OK_STATUS : chosen.length
}
