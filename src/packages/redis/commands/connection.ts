import {keyless, type CommandTable} from '../engine/command.ts'
import {syntaxError, wrongArity} from '../engine/errors.ts'
import {parseInteger} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, Status, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {client} from './client.ts'
import {databaseAt} from './keys.ts'
import {REDIS_VERSION} from './server.ts'

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
