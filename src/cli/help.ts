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
export function usageOf(program: string, {name, usage, flags, examples}: CommandWords): string {
  const shown = [...flags.filter(flag => flag.isHidden !== true), HELP].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [
    `Usage:\n  ${program} ${name} ${usage}\n`,
    ...(examples.length > 0 ? [`Examples:\n${examples.map(line => `  ${program} ${line}\n`).join('')}`] : []),
    `Flags:\n${flagLines(shown)}`,
    `Global Flags:\n${flagLines(GLOBAL_FLAGS)}`
  ].join('\n')
}

/** The whole help of one command. */
export const helpOf = (program: string, words: CommandWords): string => `${words.summary}\n\n${usageOf(program, words)}`

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

function flagLines(flags: readonly Flag[]): string {
  const heads = flags.map(
    ({name, short, type}) =>
      `${short === undefined ? '    ' : `-${short}, `}--${name}${type === 'bool' ? '' : ` ${type}`}`
  )
  const width = Math.max(...heads.map(head => head.length))
  return flags
    .map(
      ({text, shown}, i) =>
        `  ${(heads[i] ?? '').padEnd(width)}   ${text}${shown === undefined ? '' : ` (default ${shown})`}\n`
    )
    .join('')
}
