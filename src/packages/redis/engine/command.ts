import {ownOf} from '../../../model/own.ts'
import type {Command, KeyPositions, RunCommand} from './session.ts'

/** A command without its name, as tables contain it. */
export type CommandDefinition = Omit<Command, 'name'>

export type CommandTable = Readonly<Record<string, CommandDefinition>>

const commands =
  (isWrite: boolean) =>
  (arity: number, run: RunCommand, keys: KeyPositions = [1, 1, 1]): CommandDefinition => ({arity, isWrite, keys, run})

/** A command that only reads; its first argument is a key by default. */
export const reads = commands(false)

/** A command that may write. */
export const writes = commands(true)

/** A command without keys. */
export const keyless = (arity: number, run: RunCommand): CommandDefinition => reads(arity, run, [0, 0, 0])

/** Returns a command with subcommands by name. Their arities count both names. */
export const containing = (subcommands: CommandTable, keys: KeyPositions = [0, 0, 0]): CommandDefinition => ({
  ...reads(
    -2,
    (session, [given = '', ...args]) => ownOf(subcommands, given.toLowerCase())?.run(session, args) ?? null,
    keys
  ),
  subcommands
})
