import {containing, keyless, type CommandTable} from '../engine/command.ts'
import type {Command} from '../engine/session.ts'
import {Status, type Result} from '../engine/result.ts'
import {CONNECTION_COMMANDS} from './connection.ts'
import {EXPIRY} from './expiry.ts'
import {HASHES} from './hashes.ts'
import {KEYS} from './keys.ts'
import {LISTS} from './lists.ts'
import {PUBSUB_COMMANDS} from './pubsub.ts'
import {SCRIPT_COMMANDS} from './scripts.ts'
import {SERVER} from './server.ts'
import {SETS} from './sets.ts'
import {SORTED_SETS} from './sorted-sets.ts'
import {STREAM_GROUPS} from './stream-groups.ts'
import {STREAM_INFO} from './stream-info.ts'
import {STREAM_PENDING} from './stream-pending.ts'
import {STREAM_READS} from './stream-read.ts'
import {STREAMS} from './streams.ts'
import {STRINGS} from './strings.ts'
import {TRANSACTIONS} from './transactions.ts'

/** Subcommands of COMMAND. */
const DESCRIPTIONS = containing({
  count: keyless(2, () => commands.length),
  list: keyless(-2, () => commands.map(({name}) => name)),
  info: keyless(-2, (_, names) =>
    (names.length > 0 ? names.map(commandNamed) : commands).map(each => (each === undefined ? null : entryOf(each)))
  ),
  docs: keyless(-2, () => new Map())
})

const FAMILIES: readonly CommandTable[] = [
  CONNECTION_COMMANDS,
  EXPIRY,
  HASHES,
  KEYS,
  LISTS,
  PUBSUB_COMMANDS,
  SCRIPT_COMMANDS,
  SERVER,
  SETS,
  SORTED_SETS,
  STREAM_GROUPS,
  STREAM_INFO,
  STREAM_PENDING,
  STREAM_READS,
  STREAMS,
  STRINGS,
  TRANSACTIONS,
  {
    command: {
      ...DESCRIPTIONS,
      arity: -1,
      run: (session, args) => (args.length > 0 ? DESCRIPTIONS.run(session, args) : commands.map(entryOf))
    }
  }
]

const commands: readonly Command[] = FAMILIES.flatMap(family =>
  Object.entries(family).map(([name, definition]) => ({name, ...definition}))
)

/** Commands by name in lower and in upper case, as programs write them, so that a name rarely has to be converted. */
const byName = new Map(
  commands.flatMap(command => [[command.name, command] as const, [command.name.toUpperCase(), command] as const])
)

/** Finds a command by its name, in any case. */
export const commandNamed = (name: string): Command | undefined => byName.get(name) ?? byName.get(name.toLowerCase())

const entryOf = ({name, arity, isWrite, keys}: Command): Result => [
  name,
  arity,
  [new Status(isWrite ? 'write' : 'readonly')],
  ...keys,
  [],
  [],
  [],
  []
]
