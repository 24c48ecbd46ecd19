import {basename} from 'node:path'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {andVerbs} from '../entries/command-entry.ts'
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

const shownFlags = ({flags}: CommandWords): readonly Flag[] =>
  [...flags.filter(flag => flag.isHidden !== true), ...GLOBAL_FLAGS, HELP_FLAG].toSorted((a, b) =>
    a.name < b.name ? -1 : 1
  )

/** Quotes the name of a command for a shell if it has two words: `workflow list`. */
const shellWord = (name: string): string => (name.includes(' ') ? `'${name}'` : name)

/** Returns the commands that have subcommands, each with its name and aliases. */
const parents = (
  commands: readonly CommandWords[]
): readonly {readonly name: string; readonly names: readonly string[]; readonly verbs: readonly CommandWords[]}[] =>
  commands.flatMap(({name, aliases = [], verbs}) =>
    verbs === undefined ? [] : [{name, names: [name, ...aliases], verbs}]
  )

/** Returns the last word of a name: `list` of `workflow list`. */
const verbOf = ({name}: CommandWords): string => name.split(' ').at(-1) ?? ''

const takesSomeId = ({takesIds, takesInstances}: CommandWords): boolean => takesIds === true || takesInstances === true

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Returns a shell command that prints the ids that may follow a command. */
const idsOf = (program: string, command: string): string =>
  `${program} completion ids ${shellWord(command)} 2>/dev/null`

const ID_FLAGS: ReadonlySet<string> = new Set(['app-id', 'publish-app-id', 'only', 'except'])

/** Whether the value of a flag is the id of an existing app. */
const takesId = ({name: command}: CommandWords, {name}: Flag): boolean =>
  ID_FLAGS.has(name) && !(command === 'run' && name === 'app-id')

/** `alias dapr=pillion` gets completion, too, unless another program has that name. */
const ALIAS = 'dapr'

/** Returns the script for bash. The shell completes file names if none of our words fits. */
export const bash: Script = (program, commands) => {
  const all = andVerbs(commands)
  const ids = all.filter(takesSomeId).map(({name}) => shellWord(name))
  const flags = all.map(command => {
    const words = shownFlags(command).flatMap(flag => flagWords(flag))
    return `      ${shellWord(command.name)}) words=${quoted(words.join(' '))} ;;`
  })
  const above = parents(commands)
  const verbs = above.map(
    parent =>
      `      ${parent.name}) words=${quoted(parent.verbs.map(verbOf).join(' '))}; compopt +o default 2>/dev/null ;;`
  )
  const joined = above.map(({name, names}) => `      ${names.join(' | ')}) command="${name} $word" ;;`)
  const named = above.flatMap(({name, names}) =>
    names.slice(1).map(alias => `  [[ $command == ${alias} ]] && command=${name}\n`)
  )
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
    if [[ $word != -* ]]; then
      case $command in
      '') command=$word ;;
${joined.join('\n')}
      esac
    fi
  done
${named.join('')}  case "$command $previous" in
${all.flatMap(command => bashValues(program, command)).join('\n')}
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
${verbs.join('\n')}
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

/** Returns the part of bash's script that completes the values of a command's flags. */
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
  const cases = andVerbs(commands).map(command => {
    const ids = `{_${program}_ids ${command.name.includes(' ') ? `"${command.name}"` : command.name}}`
    const specs = shownFlags(command).map(flag => `      ${zshFlag(flag, takesId(command, flag) ? ids : ' ')} \\`)
    const others = takesSomeId(command) ? `'*: :${ids}'` : command.name === 'run' ? `'*:: :_normal'` : `'*: :_files'`
    const rest = command.name === 'completion' ? `'1:shell:(${SHELLS.join(' ')})'` : others
    return `    ${shellWord(command.name)})\n    _arguments -s \\\n${specs.join('\n')}\n      ${rest} ;;`
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
${parents(commands).map(zshVerbs).join('')}  case $command in
${cases.join('\n')}
  esac
}
compdef _${program} ${program}
(( $+commands[${ALIAS}] )) || compdef _${program} ${ALIAS}
`
}

/** Returns the part of zsh's script for a command with subcommands: it completes their names, then the arguments of the typed one. */
const zshVerbs = ({name, names, verbs}: ReturnType<typeof parents>[number]): string => `  case $command in
  ${names.join(' | ')})
    if (( CURRENT == 2 )); then
      local -a verbs=(${verbs.map(verb => quoted(`${verbOf(verb)}:${verb.summary.replaceAll(':', '\\:')}`)).join(' ')})
      _describe command verbs
      return
    fi
    command="${name} $words[2]"
    shift words
    (( CURRENT-- )) ;;
  esac\n`

/** Returns a flag for `_arguments`, where brackets and colons must be escaped. */
function zshFlag(flag: Flag, others: string): string {
  const {name, type, text, values} = flag
  const words = text.replaceAll(/[[\]:]/g, '\\$&')
  const files = /file|path|config|output/.test(name) ? '_files' : others
  const action = values === undefined ? files : `(${values.join(' ')})`
  const value = type === 'bool' ? '' : `:${name}:${action}`
  return flagWords(flag)
    .map(word => quoted(`${word}[${words}]${value}`))
    .join(' ')
}

export const fish: Script = (program, commands) => {
  const lines = andVerbs(commands).flatMap(command => {
    const ids = ` -f -a "(${idsOf(program, command.name)})"`
    const [above] = parents(commands).filter(({verbs}) => verbs.includes(command))
    const seen = `__fish_seen_subcommand_from ${(above?.names ?? [command.name]).join(' ')}`
    const behind = `complete -c ${program} -n '${above === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${verbOf(command)}`}'`
    const others = above?.verbs.map(verbOf).join(' ') ?? ''
    const where =
      above === undefined ? '__fish_use_subcommand' : `'${seen}; and not __fish_seen_subcommand_from ${others}'`
    return [
      `complete -c ${program} -n ${where} -f -a ${verbOf(command)} -d ${quoted(command.summary)}`,
      ...shownFlags(command).map(flag => {
        const {name, short, type, text, values} = flag
        const shortForm = short === undefined ? '' : ` -s ${short}`
        const given = values === undefined ? '' : ` -f -a '${values.join(' ')}'`
        const value = type === 'bool' ? '' : ` -r${takesId(command, flag) ? ids : given}`
        return `${behind} -l ${name}${shortForm}${value} -d ${quoted(text)}`
      }),
      ...(takesSomeId(command) ? [`${behind}${ids}`] : [])
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
