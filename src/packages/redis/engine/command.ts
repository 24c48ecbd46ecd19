import type {Command, KeyPositions, RunCommand} from './session.ts'

/** A command without its name, as the tables of the families hold it. */
export type CommandDefinition = Omit<Command, 'name'>

export type CommandTable = Readonly<Record<string, CommandDefinition>>

/** A command that only reads; its first argument is a key by default. */
export const reads = (arity: number, run: RunCommand, keys: KeyPositions = [1, 1, 1]): CommandDefinition => ({
  arity,
  isWrite: false,
  keys,
  run
})

/** A command that may write. */
export const writes = (arity: number, run: RunCommand, keys: KeyPositions = [1, 1, 1]): CommandDefinition => ({
  arity,
  isWrite: true,
  keys,
  run
})

/** A command without keys. */
export const keyless = (arity: number, run: RunCommand): CommandDefinition => reads(arity, run, [0, 0, 0])
