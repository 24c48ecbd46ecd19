import {keyless, reads, type CommandTable} from '../engine/command.ts'
import type {Command, Session} from '../engine/session.ts'
import {invokeCommand} from '../engine/dispatch.ts'
import {Blocked, NIL_ARRAY, OK_STATUS, RedisError, type Result} from '../engine/result.ts'

export const TRANSACTIONS: CommandTable = {
  multi: keyless(1, session => {
    if (session.queue !== undefined) throw new RedisError('ERR MULTI calls can not be nested')
    session.queue = []
    return OK_STATUS
  }),
  exec: keyless(1, execute),
  discard: keyless(1, session => {
    if (session.queue === undefined) throw new RedisError('ERR DISCARD without MULTI')
    session.endTransaction()
    return OK_STATUS
  }),
  watch: reads(
    -2,
    (session, keys) => {
      if (session.queue !== undefined) throw new RedisError('ERR WATCH inside MULTI is not allowed')
      for (const key of keys) {
        session.db.expire(key)
        session.engine.watch(session, key)
      }
      return OK_STATUS
    },
    [1, -1, 1]
  ),
  unwatch: keyless(1, session => {
    session.unwatch()
    return OK_STATUS
  })
}

function execute(session: Session): Result {
  const {queue, isQueueBroken} = session
  if (queue === undefined) throw new RedisError('ERR EXEC without MULTI')
  for (const [db, keys] of session.watched) for (const key of keys) db.expire(key)
  const {isWatchBroken} = session
  session.endTransaction()
  if (isQueueBroken) throw new RedisError('EXECABORT Transaction discarded because of previous errors.')
  if (isWatchBroken) return NIL_ARRAY
  return queue.map(({command, args}) => runQueued(session, command, args))
}

function runQueued(session: Session, command: Command, args: readonly string[]): Result {
  const result = invokeCommand(session, command, args)
  if (result instanceof Blocked) return result.inTransaction
  // copies the collection: later commands may change it before the reply is written
  if (result instanceof Map) return new Map(result as ReadonlyMap<string, Result>)
  return result instanceof Set ? new Set(result as ReadonlySet<string>) : result
}
