import {messageOf} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'
import {outOfMemory, unknownSubcommand, wrongArity} from './errors.ts'
import {Blocked, QUEUED, RedisError, type Result} from './result.ts'
import {ARGUMENT_BYTES} from './memory-limit.ts'
import type {Command, QueuedCommand, Session} from './session.ts'

/** Commands that a subscriber of RESP2 may still send. */
const WHILE_SUBSCRIBED = new Set(['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'ping', 'quit', 'reset'])
/** Commands that run at once inside a transaction. */
const NOT_QUEUED = new Set(['multi', 'exec', 'discard', 'watch', 'quit', 'reset'])

/** Maximum bytes of a transaction's commands, beyond which the connection closes (Redis: `client-query-buffer-limit`, 1 GB; ours shares the memory of the run). */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024

/** Runs a command, or queues it in a transaction. Never throws. */
export function dispatch(session: Session, command: Command | undefined, args: readonly string[]): Result | Blocked {
  const fault = command === undefined ? unknownCommand(args) : refusal(session, command, args)
  if (fault !== undefined || command === undefined) {
    if (session.queue !== undefined) session.isQueueBroken = true
    return fault ?? null
  }
  session.lastCommand = command.name
  session.lastAt = Date.now()
  if (session.queue !== undefined && !NOT_QUEUED.has(command.name))
    return queue(session, session.queue, {command, args})
  return invokeCommand(session, command, args)
}

function queue(session: Session, queued: QueuedCommand[], next: QueuedCommand): Result {
  for (const arg of next.args) session.queued += arg.length + ARGUMENT_BYTES
  if (session.queued > MAX_QUEUED_BYTES) {
    session.queue = []
    session.isQueueBroken = true
    session.isEnding = true
    return new RedisError(
      'ERR the transaction is too large: its commands take more than 256 MiB; the connection is closed'
    )
  }
  queued.push(next)
  return QUEUED
}

/** Runs a command now. Returns a thrown error as its result, so that a faulty command does not end the run. */
export function invokeCommand(session: Session, command: Command, args: readonly string[]): Result | Blocked {
  try {
    return command.run(session, args.slice(1))
  } catch (error) {
    return error instanceof RedisError ? error : new RedisError(`ERR ${messageOf(error)}`)
  }
}

function refusal(session: Session, command: Command, args: readonly string[]): RedisError | undefined {
  const {name} = command
  const fault = misuse(command, args)
  if (fault !== undefined) return fault
  if (session.protocol === 2 && !session.mayMix && session.subscriptions > 0 && !WHILE_SUBSCRIBED.has(name))
    return new RedisError(
      `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
    )
  if (session.engine.memory.refuses(command, args)) return outOfMemory()
  return undefined
}

/** Returns the mistake in the number of arguments, or in the name of a subcommand. */
function misuse({name, arity, subcommands}: Command, args: readonly string[]): RedisError | undefined {
  if (arity > 0 ? args.length !== arity : args.length < -arity) return wrongArity(name)
  const given = args[1]
  if (subcommands === undefined || given === undefined) return undefined
  const held = ownOf(subcommands, given.toLowerCase())
  if (held === undefined) return unknownSubcommand(name.toUpperCase(), given)
  return misuse({...held, name: `${name}|${given.toLowerCase()}`}, args)
}

/** Returns the error for an unknown command. Cuts long arguments, as Redis does. */
function unknownCommand([name = '', ...args]: readonly string[]): RedisError {
  let shown = ''
  for (const arg of args) {
    if (shown.length >= 128) break
    shown += `'${arg.slice(0, 128 - shown.length)}' `
  }
  const text = `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown}`
  return new RedisError(text.replaceAll(/[\r\n]/g, ' '))
}
