import {basename} from 'node:path'
import type {CommandHandler} from './command-handler.ts'
import {UsageError} from './usage-error.ts'
import {GLOBAL_FLAGS, type Flag} from './flags.ts'
import {HELP, type CommandWords} from './help.ts'

/** `completion bash|zsh|fish`: prints a script for the shell, generated from the table of commands. */
export const completion =
  (commands: readonly CommandWords[]): CommandHandler =>
  async ({words: [shell = '']}) => {
    const program = basename(process.argv[1] ?? 'pillion').replace(/\.js$/, '')
    const script = SCRIPTS.get(shell)
    if (script === undefined)
      throw new UsageError(
        shell === '' ? 'completion needs a shell: bash, zsh or fish' : `unknown shell "${shell}": bash, zsh or fish`
      )
    process.stdout.write(script(program, commands))
    return 0
  }

type Script = (program: string, commands: readonly CommandWords[]) => string

/** The flags of a command that help shows. */
const shownFlags = ({flags}: CommandWords): readonly Flag[] =>
  [...flags.filter(flag => flag.isHidden !== true), ...GLOBAL_FLAGS, HELP].toSorted((a, b) =>
    a.name < b.name ? -1 : 1
  )

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A shell command that prints the ids of running apps, for flags that take one. */
const idsOf = (program: string): string =>
  `${program} list -o json 2>/dev/null | sed -n 's/.*"appId": "\\(.*\\)",/\\1/p'`

const idCommands = (commands: readonly CommandWords[]): readonly string[] =>
  commands.filter(({takesIds}) => takesIds === true).map(({name}) => name)

/** Where none of our words fits, the shell completes file names. */
export const bash: Script = (program, commands) => {
  const cases = commands.map(command => {
    const words = shownFlags(command).flatMap(({name, short}) => [
      `--${name}`,
      ...(short === undefined ? [] : [`-${short}`])
    ])
    return `    ${command.name}) words=${quoted([...words, ...shellsOf(command)].join(' '))} ;;`
  })
  return `# bash completion for ${program}
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -- ]] && return
    [[ -z $command && $word != -* ]] && command=$word
  done
  case $command in
    '') words=${quoted([...commands.map(({name}) => name), 'help', ...GLOBAL_FLAGS.map(({name}) => `--${name}`), '--version'].join(' '))} ;;
    help) words=${quoted(commands.map(({name}) => name).join(' '))} ;;
${cases.join('\n')}
  esac
  if [[ $command != run && ( $previous == --app-id || $previous == -a ) || ( ${
    idCommands(commands)
      .map(name => `$command == ${name}`)
      .join(' || ') || "''"
  } ) && $current != -* ]]; then
    words="$words $(${idsOf(program)})"
  elif [[ -n $command && $current != -* && $command != completion && $command != help ]]; then
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
`
}

const shellsOf = ({name}: CommandWords): readonly string[] => (name === 'completion' ? ['bash', 'zsh', 'fish'] : [])

export const zsh: Script = (program, commands) => {
  const names = commands.map(({name, summary}) => `    ${quoted(`${name}:${summary}`)}`)
  const cases = commands.map(command => {
    const specs = shownFlags(command).map(flag => `      ${zshFlag(flag)} \\`)
    const rest = command.name === 'completion' ? `'1:shell:(bash zsh fish)'` : `'*:: :_normal'`
    return `    ${command.name})\n    _arguments -s \\\n${specs.join('\n')}\n      ${rest} ;;`
  })
  return `#compdef ${program}
_${program}() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
}
compdef _${program} ${program}
`
}

/** A flag for `_arguments`, where brackets and colons must be escaped. */
function zshFlag({name, short, type, text}: Flag): string {
  const words = text.replaceAll(/[[\]:]/g, '\\$&')
  const value = type === 'bool' ? '' : `:${name}:${/file|path|config/.test(name) ? '_files' : ' '}`
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
    .map(flag => quoted(`${flag}[${words}]${value}`))
    .join(' ')
}

export const fish: Script = (program, commands) => {
  const lines = commands.flatMap(command => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...shownFlags(command).map(({name, short, type, text}) => {
      const letter = short === undefined ? '' : ` -s ${short}`
      const value = type === 'bool' ? '' : ' -r'
      return `complete -c ${program} -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${letter}${value} -d ${quoted(text)}`
    })
  ])
  const ids = `complete -c ${program} -n '__fish_seen_subcommand_from ${idCommands(commands).join(' ')}' -f -a "(${idsOf(program).replaceAll('"', '\\"')})"`
  const shells = `complete -c ${program} -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'`
  return `# fish completion for ${program}\n${[...lines, ids, shells].join('\n')}\n`
}

const SCRIPTS: ReadonlyMap<string, Script> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish]
])
