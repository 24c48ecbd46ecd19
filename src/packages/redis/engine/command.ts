import type {Blocked, Result} from './result.ts'
import type {Session} from './session.ts'

type Run = (session: Session, args: readonly string[]) => Result | Blocked

/** Where a command's keys stand, as COMMAND tells it: first, last, step; 0 for none. */
type KeyPositions = readonly [first: number, last: number, step: number]

/** What an argument takes besides its bytes. */
export const ARGUMENT_BYTES = 32

/** One command of the table. */
export interface Command {
  /** In lower case. */
  readonly name: string
  /** Number of arguments with the name; negative: at least so many. */
  readonly arity: number
  readonly isWrite: boolean
  readonly keys: KeyPositions
  readonly run: Run
}

/** A command without its name, as the tables of the families hold it. */
export type CommandDefinition = Omit<Command, 'name'>

export type CommandTable = Readonly<Record<string, CommandDefinition>>

/** A command that only reads; its first argument is a key unless told otherwise. */
export const reads = (arity: number, run: Run, keys: KeyPositions = [1, 1, 1]): CommandDefinition => ({
  arity,
  isWrite: false,
  keys,
  run
})

/** A command that may write. */
export const writes = (arity: number, run: Run, keys: KeyPositions = [1, 1, 1]): CommandDefinition => ({
  arity,
  isWrite: true,
  keys,
  run
})

/** A command without keys. */
export const keyless = (arity: number, run: Run): CommandDefinition => reads(arity, run, [0, 0, 0])
