import {GLOBAL_FLAGS, type Flag} from './flag.ts'
import {allGroups, grouped, membersOf, type Group} from './groups.ts'

export interface CommandWords {
  readonly name: string
  readonly summary: string
  /** Follows the name in the usage line. Default: `[flags]`. */
  readonly usage?: string
  readonly flags: readonly Flag[]
  readonly examples: readonly string[]
  /** Groups of flags by use, for help on a terminal. Flags of no group follow. */
  readonly groups?: readonly Group[]
  /** Text about the command's arguments, at the end of its help. */
  readonly notes?: string
  /** Other names of the command. */
  readonly aliases?: readonly string[]
  readonly verbs?: readonly CommandWords[]
  /** Whether its arguments are app ids, which shells complete. */
  readonly takesIds?: boolean
  /** Whether its arguments are ids of workflows, jobs, actors or reminders, which shells complete. */
  readonly takesInstances?: boolean
}

export const HELP_FLAG: Flag = {name: 'help', short: 'h', type: 'bool', text: 'Print this help message'}

/**
 * Returns the usage of a command from `Usage:` on, in cobra's layout, which scripts look for after a wrong flag. With `columns`, for
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
    `Usage:\n  ${wrapped(`${program} ${name} ${usage}`, columns - 2, 4)}\n`,
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

/** Default width of help, in columns. */
const COLUMNS = 80

export const helpOf = (program: string, words: CommandWords, columns = COLUMNS): string =>
  `${wrapped(`${words.summary}.`, columns, 0)}\n\n${usageText(program, words, columns)}${words.notes === undefined ? '' : `\n${words.notes}`}`

interface Overview {
  /** Groups of commands to list. Default: all groups, and the flags of the program. */
  readonly groups?: readonly Group[]
  /** Whether the folder has a template. Without one, the help says how to write it. */
  readonly hasTemplate?: boolean
  readonly columns?: number
}

/** Returns the text that the program prints when it is called without a command. */
export function overview(
  program: string,
  commands: readonly CommandWords[],
  {groups, hasTemplate = true, columns = COLUMNS}: Overview = {}
): string {
  const parts = groups === undefined ? grouped(commands, allGroups()) : membersOf(commands, groups)
  const width = Math.max(...parts.flatMap(([, listed]) => listed.map(({name}) => name.length)))
  const room = columns - width - 4
  const rowsOf = (listed: readonly CommandWords[]): string =>
    listed
      .map(({name, summary}) => `  ${name.padEnd(width)}  ${wrapped(inShort(summary, room), room, width + 4)}\n`)
      .join('')
  const root: readonly Flag[] = [
    ...GLOBAL_FLAGS,
    HELP_FLAG,
    {name: 'version', short: 'v', type: 'bool', text: 'version for pillion'}
  ]
  const flags = flagLines(
    root.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    columns
  )
  const more = `Use "${program} [command] --help" for more information about a command`
  return [
    'Run all your services with one command.\n',
    `Usage:\n  ${program} [command]\n`,
    ...parts.map(([title, listed]) => `${title === '' ? 'Other commands' : title}:\n${rowsOf(listed)}`),
    ...(groups === undefined ? [`Flags:\n${flags}`] : []),
    ...(hasTemplate ? [] : [`There is no template in this folder: "${program} import" writes one.\n`]),
    groups === undefined ? `${more}.\n` : `${more},\nand "${program} help --all" for all ${commands.length} commands.\n`
  ].join('\n')
}

/** Returns a summary in one line: its first sentence, or the part before a colon or semicolon, if the whole is too long. */
const inShort = (summary: string, room: number): string =>
  summary.length <= room ? summary : summary.replace(/(?<!\([^)]*)(?:\. |[:;] ).*$/, '')

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

/** Returns the words of a text in lines of at most `room` columns, all but the first indented. */
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
