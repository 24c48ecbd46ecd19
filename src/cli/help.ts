import {GLOBAL_FLAGS, type Flag} from './flags.ts'

export interface CommandWords {
  readonly name: string
  readonly summary: string
  /** Follows the name in the usage line. */
  readonly usage: string
  readonly flags: readonly Flag[]
  readonly examples: readonly string[]
  /** Its arguments are app ids, which shells complete. */
  readonly takesIds?: boolean
}

export const HELP: Flag = {name: 'help', short: 'h', type: 'bool', text: 'Print this help message'}

/** The usage of a command from `Usage:` on, in cobra's layout, which scripts look for after a wrong flag. */
export function usageOf(program: string, {name, usage, flags, examples}: CommandWords, columns = Infinity): string {
  const shown = [...flags.filter(flag => flag.isHidden !== true), HELP].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [
    `Usage:\n  ${program} ${name} ${usage}\n`,
    ...(examples.length > 0 ? [`Examples:\n${examples.map(line => `  ${program} ${line}\n`).join('')}`] : []),
    `Flags:\n${flagLines(shown, columns)}`,
    `Global Flags:\n${flagLines(GLOBAL_FLAGS, columns)}`
  ].join('\n')
}

/** The whole help of one command. With `columns`, long flag lines are wrapped: on a terminal, where no script reads them. */
export const helpOf = (program: string, words: CommandWords, columns?: number): string =>
  `${words.summary}\n\n${usageOf(program, words, columns)}`

/** The text that the program prints when it is called without a command. */
export function overview(program: string, commands: readonly CommandWords[]): string {
  const width = Math.max(...commands.map(({name}) => name.length))
  const rows = commands.map(({name, summary}) => `  ${name.padEnd(width)}  ${summary}\n`).join('')
  const root: readonly Flag[] = [
    ...GLOBAL_FLAGS,
    HELP,
    {name: 'version', short: 'v', type: 'bool', text: 'version for pillion'}
  ]
  return [
    'Runs the apps of a Dapr run template and their sidecars in one process, and leaves nothing behind.\n',
    `Usage:\n  ${program} [command]\n`,
    `Available Commands:\n${rows}`,
    `Flags:\n${flagLines(root.toSorted((a, b) => (a.name < b.name ? -1 : 1)))}`,
    `Use "${program} [command] --help" for more information about a command.\n`
  ].join('\n')
}

function flagLines(flags: readonly Flag[], columns = Infinity): string {
  const heads = flags.map(
    ({name, short, type}) =>
      `${short === undefined ? '    ' : `-${short}, `}--${name}${type === 'bool' ? '' : ` ${type}`}`
  )
  const width = Math.max(...heads.map(head => head.length))
  return flags
    .map(
      ({text, shown}, i) =>
        `  ${(heads[i] ?? '').padEnd(width)}   ${wrapped(text + (shown === undefined ? '' : ` (default ${shown})`), columns - width - 5, width + 5)}\n`
    )
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
