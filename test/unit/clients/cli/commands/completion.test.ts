import t from 'tap'
import {COMMANDS as ENTRIES} from '../../../../../src/clients/cli/commands.ts'
import {bash, fish, zsh} from '../../../../../src/clients/cli/commands/completion.ts'

const COMMANDS = [
  {
    name: 'run',
    summary: "Runs what's there: all [of it]",
    usage: '',
    examples: [],
    flags: [
      {name: 'run-file', short: 'f', type: 'string', text: 'The [file]: it'},
      {name: 'old', type: 'bool', text: '', isHidden: true}
    ]
  },
  {name: 'completion', summary: 'Scripts', usage: '', examples: [], flags: []}
] as const

t.test('each shell gets commands and flags, quoted as it wants them; hidden flags stay hidden', async t => {
  for (const script of [bash, zsh, fish]) t.notMatch(script('pillion', COMMANDS), /--old|-l old/)
  t.match(bash('pillion', COMMANDS), "run) words='--help -h --log-as-json --run-file -f --runtime-path' ;;")
  t.match(zsh('pillion', COMMANDS), `'run:Runs what'\\''s there: all [of it]'`)
  t.match(zsh('pillion', COMMANDS), `'--run-file[The \\[file\\]\\: it]:run-file:_files' '-f[`)
  t.match(fish('dapr', COMMANDS), `complete -c dapr -n __fish_use_subcommand -f -a run -d 'Runs what'\\''s there`)
})

t.test('zsh completes behind the command: its words are shifted before the flags are parsed', async t => {
  const script = zsh('pillion', COMMANDS)
  t.match(script, /local command=\$words\[2\]\n {2}shift words\n {2}\(\( CURRENT-- \)\)\n {2}case \$command in/)
  t.match(script, 'compadd -a ids')
})

t.test('the name dapr completes as well, unless there is such a program', async t => {
  t.match(bash('pillion', COMMANDS), 'type -P dapr >/dev/null || complete -o default -F _pillion dapr\n')
  t.match(zsh('pillion', COMMANDS), 'compdef _pillion dapr\n')
  t.match(fish('pillion', COMMANDS), 'command -q dapr; or complete -c dapr -w pillion\n')
})

t.test('behind -o stand the formats of that command; where it is a file, the shell completes files', async t => {
  const script = bash('pillion', ENTRIES)
  t.match(script, "'graph --output' | 'graph -o') words='table mermaid json' ;;")
  t.match(script, "'export --output' | 'export -o') return ;;")
  t.match(zsh('pillion', ENTRIES), /'-o\[The folder for Kubernetes objects[^\n]*:output:_files'/)
  t.match(fish('pillion', ENTRIES), /seen_subcommand_from events' -l output -s o -r -f -a 'text ndjson json'/)
})

t.test('behind workflow, and wf, stand its verbs; behind a verb its flags and ids of workflows', async t => {
  const script = bash('pillion', ENTRIES)
  t.match(script, '      workflow | wf) command="workflow $word" ;;')
  t.match(script, /\n {6}workflow\) words='run list history /)
  t.match(script, "'workflow list') words='--app-id -a ")
  t.match(script, "'workflow list --output' | 'workflow list -o') words='short wide yaml json ids' ;;")
  t.match(script, /\| 'workflow history' \|[^\n]*\) words="\$\(pillion completion ids "\$command"/)
  t.match(zsh('pillion', ENTRIES), `'*: :{_pillion_ids "workflow history"}'`)
  t.match(
    fish('pillion', ENTRIES),
    /'__fish_seen_subcommand_from workflow wf; and __fish_seen_subcommand_from history' -f -a "\(pillion completion ids 'workflow history'/
  )
})
