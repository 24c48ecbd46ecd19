import {TEMPLATE_COMMANDS} from './entries/templates.ts'
import {andVerbs, type CommandEntry} from './entries/command-entry.ts'
import {GLOBAL_FLAGS} from './flag.ts'

/**
 * Returns the commands that arguments may name. If the first word is a command for templates, loads only these: a run starts faster.
 */
export async function commandsFor(args: readonly string[]): Promise<readonly CommandEntry[]> {
  const word = wordIn(args)
  if (TEMPLATE_COMMANDS.some(({name}) => name === word)) return TEMPLATE_COMMANDS
  return (await import('./commands.ts')).COMMANDS
}

/** Returns the index of the first word that is neither a flag nor a flag's value. */
const wordAt = (args: readonly string[]): number =>
  args.findIndex((arg, i) => !arg.startsWith('-') && args[i - 1] !== '--runtime-path')

export const wordIn = (args: readonly string[]): string | undefined => args[wordAt(args)]

/** Returns the command that the arguments name, if any. */
export const calledBy = (args: readonly string[], commands: readonly CommandEntry[]): CommandEntry | undefined => {
  const name = wordIn(args)
  return andVerbs(commands).find(command => command.name === name)
}

/** Returns the flags with a value that may be between a command and its verb. */
const valued = (entry: CommandEntry): ReadonlySet<string> =>
  new Set(
    [...andVerbs([entry]).flatMap(({flags}) => flags), ...GLOBAL_FLAGS]
      .filter(({type}) => type !== 'bool')
      .flatMap(({name, short}) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
  )

/** Replaces aliases by names, and joins a command and its verb to one argument: `wf -a shop ls` becomes `workflow list`, `-a`, `shop`. */
export function withVerb(args: readonly string[], commands: readonly CommandEntry[]): readonly string[] {
  const at = wordAt(args)
  const entry = commands.find(({name, aliases = []}) => [name, ...aliases].includes(args[at] ?? ''))
  if (entry === undefined) return args
  const flags = valued(entry)
  const second = args.findIndex((arg, index) => index > at && !arg.startsWith('-') && !flags.has(args[index - 1] ?? ''))
  const called = `${entry.name} ${args[second] ?? ''}`
  const verb = entry.verbs?.find(({name, aliases = []}) => [name, ...aliases].includes(called))
  const name = (verb ?? entry).name
  return args.flatMap((arg, index) => (index === at ? [name] : verb !== undefined && index === second ? [] : [arg]))
}
