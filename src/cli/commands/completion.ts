import {basename} from 'node:path'
import type {CommandHandler} from '../command-handler.ts'
import {UsageError} from '../usage-error.ts'
import {GLOBAL_FLAGS, type Flag} from '../flags.ts'
import {HELP, type CommandWords} from '../help.ts'

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

/** Values of flags that can have no others. */
const VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['app-protocol', ['http', 'https', 'h2c', 'grpc', 'grpcs']],
  ['log-level', ['debug', 'info', 'warn', 'error', 'fatal']],
  ['log-style', ['dapr', 'short']],
  ['format', ['shell', 'dotenv', 'vscode']],
  ['output', ['json', 'yaml', 'table']]
])

/** `alias dapr=pillion` completes, too, unless there is another program of that name. */
const ALIAS = 'dapr'

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
  elif [[ ' ${[...VALUES.keys()].map(name => `--${name}`).join(' ')} ' == *" $previous "* ]]; then
    :
  elif [[ -n $command && $current != -* && $command != completion && $command != help ]]; then
    return
  fi
  case $previous in
${bashValues()}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
type -P ${ALIAS} >/dev/null || complete -o default -F _${program} ${ALIAS}
`
}

const bashValues = (): string =>
  [...VALUES].map(([name, values]) => `    --${name}) words='${values.join(' ')}' ;;`).join('\n')

const shellsOf = ({name}: CommandWords): readonly string[] => (name === 'completion' ? ['bash', 'zsh', 'fish'] : [])

export const zsh: Script = (program, commands) => {
  const names = commands.map(({name, summary}) => `    ${quoted(`${name}:${summary}`)}`)
  const cases = commands.map(command => {
    const ids = `_${program}_ids`
    const specs = shownFlags(command).map(flag => `      ${zshFlag(flag, command.name === 'run' ? ' ' : ids)} \\`)
    const others =
      command.takesIds === true ? `'*: :${ids}'` : command.name === 'run' ? `'*:: :_normal'` : `'*: :_files'`
    const rest = command.name === 'completion' ? `'1:shell:(bash zsh fish)'` : others
    return `    ${command.name})\n    _arguments -s \\\n${specs.join('\n')}\n      ${rest} ;;`
  })
  return `#compdef ${program}
_${program}_ids() {
  local -a ids=(\${(f)"$(${idsOf(program)})"})
  compadd -a ids
}
_${program}() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _${program} ${program}
(( $+commands[${ALIAS}] )) || compdef _${program} ${ALIAS}
`
}

/** A flag for `_arguments`, where brackets and colons must be escaped. */
function zshFlag({name, short, type, text}: Flag, ids: string): string {
  const words = text.replaceAll(/[[\]:]/g, '\\$&')
  const values = VALUES.get(name)
  const action = /file|path|config/.test(name)
    ? '_files'
    : name === 'app-id'
      ? ids
      : values
        ? `(${values.join(' ')})`
        : ' '
  const value = type === 'bool' ? '' : `:${name}:${action}`
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
    .map(flag => quoted(`${flag}[${words}]${value}`))
    .join(' ')
}

export const fish: Script = (program, commands) => {
  const lines = commands.flatMap(command => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...shownFlags(command).map(({name, short, type, text}) => {
      const letter = short === undefined ? '' : ` -s ${short}`
      const values = VALUES.get(name)
      const given = values === undefined ? '' : ` -f -a '${values.join(' ')}'`
      const isId = name === 'app-id' && command.name !== 'run'
      const value = type === 'bool' ? '' : ` -r${isId ? ` -f -a "(${fishIds(program)})"` : given}`
      return `complete -c ${program} -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${letter}${value} -d ${quoted(text)}`
    })
  ])
  const ids = `complete -c ${program} -n '__fish_seen_subcommand_from ${idCommands(commands).join(' ')}' -f -a "(${fishIds(program)})"`
  const alias = `command -q ${ALIAS}; or complete -c ${ALIAS} -w ${program}`
  const shells = `complete -c ${program} -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'`
  return `# fish completion for ${program}\n${[...lines, ids, shells, alias].join('\n')}\n`
}

const fishIds = (program: string): string => idsOf(program).replaceAll('"', '\\"').replaceAll('$', '\\$')

const SCRIPTS: ReadonlyMap<string, Script> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish]
])
