import {keyless, type CommandTable, containing} from '../engine/command.ts'
import {syntaxError, wrongArity} from '../engine/errors.ts'
import {parseInteger, integer} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, Status, type Result, NIL_ARRAY, Verbatim} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {databaseAt} from './keys.ts'
import {REDIS_VERSION} from './server.ts'
import {ownOf} from '../../../model/own.ts'

function hello(session: Session, [version, ...options]: readonly string[]): Result {
  const protocol = version === undefined ? session.protocol : parseInteger(version)
  if (protocol === undefined) throw new RedisError('ERR Protocol version is not an integer or out of range')
  if (protocol !== 2 && protocol !== 3) throw new RedisError('NOPROTO unsupported protocol version')
  let {name} = session
  for (let at = 0; at < options.length;) {
    const option = (options[at] ?? '').toUpperCase()
    if (option === 'AUTH' && at + 2 < options.length) at += 3
    else if (option === 'SETNAME' && at + 1 < options.length) {
      name = options[at + 1] ?? ''
      at += 2
    } else throw new RedisError(`ERR Syntax error in HELLO option '${options[at] ?? ''}'`)
  }
  session.name = name
  session.protocol = protocol
  return new Map<string, Result>([
    ['server', 'redis'],
    ['version', REDIS_VERSION],
    ['proto', protocol],
    ['id', session.id],
    ['mode', 'standalone'],
    ['role', 'master'],
    ['modules', []]
  ])
}

/** `CLIENT`. Subcommands without effect here answer as if they had one. */
const client = containing({
  id: keyless(2, session => session.id),
  getname: keyless(2, ({name}) => (name === '' ? null : name)),
  setname: keyless(3, (session, [name = '']) => {
    if (!/^[!-~]*$/.test(name))
      throw new RedisError('ERR Client names cannot contain spaces, newlines or special characters.')
    session.name = name
    return OK_STATUS
  }),
  setinfo: keyless(4, (session, [attribute = '', value = '']) => {
    const name = attribute.toLowerCase()
    if (name === 'lib-name') session.libraryName = value
    else if (name === 'lib-ver') session.libraryVersion = value
    else throw new RedisError(`ERR Unrecognized option '${attribute}'`)
    return OK_STATUS
  }),
  info: keyless(2, session => new Verbatim(`${describe(session)}\n`)),
  list: keyless(-2, ({engine}) => new Verbatim([...engine.sessions].map(each => `${describe(each)}\n`).join(''))),
  kill: keyless(-3, kill),
  unblock: keyless(-3, ({engine}, [id = '', how = 'TIMEOUT']) => {
    const target = [...engine.sessions].find(session => session.id === integer(id))
    if (target?.cancelWait === undefined) return 0
    const isError = how.toUpperCase() === 'ERROR'
    target.cancelWait(isError ? new RedisError('UNBLOCKED client unblocked via CLIENT UNBLOCK') : NIL_ARRAY)
    return 1
  }),
  pause: keyless(-3, () => OK_STATUS),
  unpause: keyless(2, () => OK_STATUS)
})

/** States of a client, as CLIENT LIST abbreviates them. */
function flagsOf({subscriptions, queue, cancelWait}: Session): string {
  const flags = `${subscriptions > 0 ? 'P' : ''}${queue === undefined ? '' : 'x'}${cancelWait === undefined ? '' : 'b'}`
  return flags || 'N'
}

/** Returns the line of CLIENT LIST for a client. */
function describe(session: Session): string {
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    name: session.name,
    age: Math.trunc((Date.now() - session.since) / 1000),
    idle: Math.trunc((Date.now() - session.lastAt) / 1000),
    flags: flagsOf(session),
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

/** Filters of CLIENT KILL. */
const FILTERS: Readonly<Record<string, (session: Session, value: string) => boolean>> = {
  ID: ({id}, value) => id.toString() === value,
  ADDR: ({address}, value) => address === value,
  LADDR: ({localAddress}, value) => localAddress === value,
  USER: (_, value) => value === 'default',
  TYPE: ({subscriptions}, value) => value.toLowerCase() === (subscriptions > 0 ? 'pubsub' : 'normal')
}

/** Ends clients: CLIENT KILL with an address, or with filters. */
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

export const CONNECTION_COMMANDS: CommandTable = {
  ping: keyless(-1, (session, args) => {
    const [text] = args
    if (args.length > 1) throw wrongArity('ping')
    if (session.protocol === 2 && session.subscriptions > 0) return ['pong', text ?? '']
    return text ?? new Status('PONG')
  }),
  echo: keyless(2, (_, [text = '']) => text),
  select: keyless(2, (session, [text = '']) => {
    session.db = databaseAt(session, text)
    return OK_STATUS
  }),
  // Accepts any password: a component with a password must work here, too.
  auth: keyless(-2, (_, args) => {
    if (args.length > 2) throw syntaxError()
    return OK_STATUS
  }),
  hello: keyless(-1, hello),
  quit: keyless(-1, session => {
    session.isEnding = true
    return OK_STATUS
  }),
  reset: keyless(1, session => {
    session.endTransaction()
    session.engine.channels.leaveAll(session)
    session.db = session.engine.database(0)
    session.protocol = 2
    session.name = ''
    return new Status('RESET')
  }),
  client
}
