import {basename} from 'node:path'
import type {CommandHandler} from '../command-handler.ts'
import {UsageError} from '../usage-error.ts'
import {GLOBAL_FLAGS, type Flag} from '../flag.ts'
import {HELP_FLAG, type CommandWords} from '../help.ts'

/** `completion bash|zsh|fish`: prints a script for the shell, generated from the table of commands. The scripts call `completion ids COMMAND`. */
export const completion =
  (commands: readonly CommandWords[]): CommandHandler =>
  async ({words: [shell = '', command = ''], asJson}) => {
    if (shell === 'ids') {
      const {completedIds} = await import('../completed-ids.ts')
      process.stdout.write((await completedIds(command, asJson)).map(id => `${id}\n`).join(''))
      return 0
    }
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
  [...flags.filter(flag => flag.isHidden !== true), ...GLOBAL_FLAGS, HELP_FLAG].toSorted((a, b) =>
    a.name < b.name ? -1 : 1
  )

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A shell command that prints the ids that may stand behind a command. */
const idsOf = (program: string, command: string): string => `${program} completion ids ${command} 2>/dev/null`

const ID_FLAGS: ReadonlySet<string> = new Set(['app-id', 'publish-app-id', 'only', 'except'])

/** The value of the flag is the id of an app that is there. */
const takesId = ({name: command}: CommandWords, {name}: Flag): boolean =>
  ID_FLAGS.has(name) && !(command === 'run' && name === 'app-id')

/** `alias dapr=pillion` gets completion, too, unless another program has that name. */
const ALIAS = 'dapr'

/** Where none of our words fits, the shell completes file names. */
export const bash: Script = (program, commands) => {
  const ids = commands.filter(({takesIds}) => takesIds === true).map(({name}) => name)
  const flags = commands.map(command => {
    const words = shownFlags(command).flatMap(flag => flagWords(flag))
    return `      ${command.name}) words=${quoted(words.join(' '))} ;;`
  })
  return `# bash completion for ${program}
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word words=
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -- ]] && return
    [[ -z $command && $word != -* ]] && command=$word
  done
  case "$command $previous" in
${commands.flatMap(command => bashValues(program, command)).join('\n')}
  *)
    if [[ $current == -* && -n $command ]]; then
      case $command in
${flags.join('\n')}
      esac
    else
      case $command in
      '') words=${quoted([...commands.map(({name}) => name), 'help', ...GLOBAL_FLAGS.map(({name}) => `--${name}`), '--version'].join(' '))} ;;
      help) words=${quoted(commands.map(({name}) => name).join(' '))} ;;
      completion) words=${quoted(SHELLS.join(' '))} ;;
      ${ids.length === 0 ? "''" : ids.join(' | ')}) words="$(${idsOf(program, '"$command"')})"; compopt +o default 2>/dev/null ;;
      *) return ;;
      esac
    fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
type -P ${ALIAS} >/dev/null || complete -o default -F _${program} ${ALIAS}
`
}

const flagWords = ({name, short}: Flag): readonly string[] => [
  `--${name}`,
  ...(short === undefined ? [] : [`-${short}`])
]

/** What stands behind each flag of a command that has a value. */
const bashValues = (program: string, command: CommandWords): readonly string[] =>
  shownFlags(command)
    .filter(({type}) => type !== 'bool')
    .map(flag => {
      const words = flagWords(flag).map(word => `'${command.name} ${word}'`)
      const {values} = flag
      const ids = takesId(command, flag) ? `words="$(${idsOf(program, command.name)})"` : 'return'
      return `  ${words.join(' | ')}) ${values === undefined ? ids : `words='${values.join(' ')}'`} ;;`
    })

const SHELLS = ['bash', 'zsh', 'fish'] as const

export const zsh: Script = (program, commands) => {
  const names = commands.map(({name, summary}) => `    ${quoted(`${name}:${summary}`)}`)
  const cases = commands.map(command => {
    const ids = `{_${program}_ids ${command.name}}`
    const specs = shownFlags(command).map(flag => `      ${zshFlag(flag, takesId(command, flag) ? ids : ' ')} \\`)
    const others =
      command.takesIds === true ? `'*: :${ids}'` : command.name === 'run' ? `'*:: :_normal'` : `'*: :_files'`
    const rest = command.name === 'completion' ? `'1:shell:(${SHELLS.join(' ')})'` : others
    return `    ${command.name})\n    _arguments -s \\\n${specs.join('\n')}\n      ${rest} ;;`
  })
  return `#compdef ${program}
_${program}_ids() {
  local -a ids=(\${(f)"$(${idsOf(program, '$1')})"})
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
function zshFlag({name, short, type, text, values}: Flag, others: string): string {
  const words = text.replaceAll(/[[\]:]/g, '\\$&')
  const files = /file|path|config|output/.test(name) ? '_files' : others
  const action = values === undefined ? files : `(${values.join(' ')})`
  const value = type === 'bool' ? '' : `:${name}:${action}`
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
    .map(flag => quoted(`${flag}[${words}]${value}`))
    .join(' ')
}

export const fish: Script = (program, commands) => {
  const lines = commands.flatMap(command => {
    const ids = ` -f -a "(${idsOf(program, command.name)})"`
    const behind = `complete -c ${program} -n '__fish_seen_subcommand_from ${command.name}'`
    return [
      `complete -c ${program} -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
      ...shownFlags(command).map(flag => {
        const {name, short, type, text, values} = flag
        const letter = short === undefined ? '' : ` -s ${short}`
        const given = values === undefined ? '' : ` -f -a '${values.join(' ')}'`
        const value = type === 'bool' ? '' : ` -r${takesId(command, flag) ? ids : given}`
        return `${behind} -l ${name}${letter}${value} -d ${quoted(text)}`
      }),
      ...(command.takesIds === true ? [`${behind}${ids}`] : [])
    ]
  })
  const alias = `command -q ${ALIAS}; or complete -c ${ALIAS} -w ${program}`
  const shells = `complete -c ${program} -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'`
  return `# fish completion for ${program}\n${[...lines, shells, alias].join('\n')}\n`
}

const SCRIPTS: ReadonlyMap<string, Script> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish]
])
