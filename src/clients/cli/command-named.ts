import {TEMPLATE_COMMANDS} from './entries/templates.ts'
import type {CommandEntry} from './entries/command-entry.ts'

/**
 * The commands that arguments may name: those for templates alone if their first word is one of these. All others are loaded for who asks
 * for them: a run starts with less.
 */
export async function commandsFor(args: readonly string[]): Promise<readonly CommandEntry[]> {
  const word = wordIn(args)
  if (TEMPLATE_COMMANDS.some(({name}) => name === word)) return TEMPLATE_COMMANDS
  return (await import('./commands.ts')).COMMANDS
}

/** The first word that is neither a flag nor a flag's value. */
export const wordIn = (args: readonly string[]): string | undefined =>
  args.find((arg, i) => !arg.startsWith('-') && args[i - 1] !== '--runtime-path')

/** Commands with those below them. */
export const andVerbs = <T extends {readonly verbs?: readonly T[]}>(commands: readonly T[]): readonly T[] =>
  commands.flatMap(entry => [entry, ...(entry.verbs ?? [])])

/** The command that the arguments name, if any. */
export const calledBy = (args: readonly string[], commands: readonly CommandEntry[]): CommandEntry | undefined => {
  const name = wordIn(args)
  return andVerbs(commands).find(command => command.name === name)
}

/** Flags that may be between a command and its verb, and have a value. */
const BETWEEN = new Set(['-a', '--app-id', '-n', '--namespace', '-f', '--run-file', '--name', '--runtime-path'])

/** A command by its name, and its verb in the same argument: `wf -a shop ls` is `workflow list`, `-a`, `shop`. What is no command stays as it is. */
export function withVerb(args: readonly string[], commands: readonly CommandEntry[]): readonly string[] {
  const words = args.flatMap((arg, index) =>
    arg.startsWith('-') || BETWEEN.has(args[index - 1] ?? '') ? [] : [{arg, index}]
  )
  const [first, second] = words
  const entry = commands.find(({name, aliases = []}) => [name, ...aliases].includes(first?.arg ?? ''))
  if (first === undefined || entry === undefined) return args
  const called = `${entry.name} ${second?.arg ?? ''}`
  const verb = entry.verbs?.find(({name, aliases = []}) => [name, ...aliases].includes(called))
  const name = (verb ?? entry).name
  return args.flatMap((arg, index) =>
    index === first.index ? [name] : verb !== undefined && index === second?.index ? [] : [arg]
  )
}
