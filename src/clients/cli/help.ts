import {GLOBAL_FLAGS, type Flag} from './flag.ts'
import {COMMAND_GROUPS, grouped, type Group} from './groups.ts'

export interface CommandWords {
  readonly name: string
  readonly summary: string
  /** Follows the name in the usage line; left out: `[flags]`. */
  readonly usage?: string
  readonly flags: readonly Flag[]
  readonly examples: readonly string[]
  /** How help groups the flags by use on a terminal. What is in no group follows. */
  readonly groups?: readonly Group[]
  /** The end of its help: what its arguments may be. */
  readonly notes?: string
  /** Other names of it. */
  readonly aliases?: readonly string[]
  /** The commands below it. */
  readonly verbs?: readonly CommandWords[]
  /** Its arguments are app ids, which shells complete. */
  readonly takesIds?: boolean
  /** Its arguments are ids of workflows, jobs, actors or reminders, which shells complete. */
  readonly takesInstances?: boolean
}

export const HELP_FLAG: Flag = {name: 'help', short: 'h', type: 'bool', text: 'Print this help message'}

/**
 * The usage of a command from `Usage:` on, in cobra's layout, which scripts look for after a wrong flag. With `columns`, for
 * people, the flags are grouped by use.
 */
export function usageText(
  program: string,
  {name, usage = '[flags]', flags, examples, groups = [], aliases = [], verbs = []}: CommandWords,
  columns = Infinity
): string {
  const shown = [...flags.filter(flag => flag.isHidden !== true), HELP_FLAG].toSorted((a, b) =>
    a.name < b.name ? -1 : 1
  )
  return [
    `Usage:\n  ${program} ${name} ${usage}\n`,
    ...(aliases.length > 0 ? [`Aliases:\n  ${[name, ...aliases].join(', ')}\n`] : []),
    ...(verbs.length > 0 ? [`Available Commands:\n${verbLines(verbs, columns)}`] : []),
    ...(examples.length > 0 ? [`Examples:\n${examples.map(line => `  ${program} ${line}\n`).join('')}`] : []),
    ...flagParts(groups, shown, columns),
    `Global Flags:\n${flagLines(GLOBAL_FLAGS, columns)}`
  ].join('\n')
}

function verbLines(verbs: readonly CommandWords[], columns: number): string {
  const rows = verbs.map(({name, summary}) => [name.split(' ').at(-1) ?? '', summary] as const)
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, summary]) => `  ${name.padEnd(width)}  ${wrapped(summary, columns - width - 4, width + 4)}\n`)
    .join('')
}

function flagParts(groups: readonly Group[], flags: readonly Flag[], columns: number): readonly string[] {
  if (columns === Infinity) return [`Flags:\n${flagLines(flags)}`]
  const parts = grouped(flags, groups)
  const others = parts.length > 1 ? 'Other Flags' : 'Flags'
  return parts.map(([title, members]) => `${title === '' ? others : title}:\n${flagLines(members, columns)}`)
}

/** The whole help of one command. With `columns`, long flag lines are wrapped: on a terminal, where no script reads them. */
export const helpOf = (program: string, words: CommandWords, columns?: number): string =>
  `${wrapped(words.summary, columns ?? Infinity, 0)}\n\n${usageText(program, words, columns)}${words.notes === undefined ? '' : `\n${words.notes}`}`

/** The text that the program prints when it is called without a command. */
export function overview(program: string, commands: readonly CommandWords[], columns = Infinity): string {
  const width = Math.max(...commands.map(({name}) => name.length))
  const rowsOf = (listed: readonly CommandWords[]): string =>
    listed
      .map(({name, summary}) => {
        const room = columns - width - 4
        const text = columns === Infinity ? summary : inShort(summary, room)
        return `  ${name.padEnd(width)}  ${wrapped(text, room, width + 4)}\n`
      })
      .join('')
  const parts = columns === Infinity ? [['Available Commands', commands] as const] : grouped(commands, COMMAND_GROUPS)
  const root: readonly Flag[] = [
    ...GLOBAL_FLAGS,
    HELP_FLAG,
    {name: 'version', short: 'v', type: 'bool', text: 'version for pillion'}
  ]
  return [
    `${wrapped('Runs the apps of a Dapr run template and their sidecars in one process, and leaves nothing behind.', columns, 0)}\n`,
    `Usage:\n  ${program} [command]\n`,
    ...parts.map(([title, listed]) => `${title === '' ? 'Other Commands' : title}:\n${rowsOf(listed)}`),
    `Flags:\n${flagLines(
      root.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      columns
    )}`,
    `Use "${program} [command] --help" for more information about a command.\n`
  ].join('\n')
}

/** A summary in one line, if it has a part before a colon or semicolon that fits: the rest is in the help of the command. */
function inShort(summary: string, room: number): string {
  const text = summary.replace('. Supported platforms: Self-hosted', '')
  return text.length <= room ? text : text.replace(/(?<!\([^)]*)[:;] .*$/, '')
}

const headOf = ({name, short, type}: Flag): string =>
  `${short === undefined ? '    ' : `-${short}, `}--${name}${type === 'bool' ? '' : ` ${type}`}`

function flagLines(flags: readonly Flag[], columns = Infinity): string {
  const width = Math.max(...flags.map(flag => headOf(flag).length))
  return flags
    .map(flag => {
      const text = flag.text + (flag.shown === undefined ? '' : ` (default ${flag.shown})`)
      return `  ${headOf(flag).padEnd(width)}   ${wrapped(text, columns - width - 5, width + 5)}\n`
    })
    .join('')
}

/** The words of a text in lines of at most `room` columns, all but the first indented. */
function wrapped(text: string, room: number, indent: number): string {
  if (text.length <= room) return text
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > room) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join(`\n${' '.repeat(indent)}`)
}
