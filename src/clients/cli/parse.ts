import {Command, Option} from 'commander'
import {UserError} from '../../model/errors.ts'
import {flagInteger, parseList} from './argv.ts'
import {print} from './print.ts'
import {USUAL_COLUMNS} from './width.ts'
import {UsageError} from './command-handler.ts'
import {calledBy, withVerb, wordIn} from './command-named.ts'
import {andVerbs, type CommandEntry} from './entries/command-entry.ts'
import {GLOBAL_FLAGS, type Flag} from './flag.ts'
import {GivenFlags} from './given-flags.ts'

/** Parses the arguments and runs the command that they name. Throws CommanderError and UsageError for mistakes. */
export async function runCommandLine(
  args: readonly string[],
  commands: readonly CommandEntry[],
  program: string
): Promise<number> {
  const word = wordIn(args)
  if (word === 'help') return help(args.slice(args.indexOf('help') + 1), commands, program)
  const called = calledBy(args, commands)
  const instead = called ?? (await import('./commands.ts')).NOT_BUILT.get(word ?? '')
  if (typeof instead === 'string') throw new UserError(instead)
  let code = 0
  let isHelp = false
  let explained: CommandEntry | undefined
  /** Notes for which command commander wants help. `printHelp` writes the help after parsing, since its code has to be loaded first. */
  const explain = (entry?: CommandEntry) => (): string => {
    isHelp = true
    explained = entry
    return ''
  }
  const root = quiet(new Command(program), explain()).option('-v, --version').enablePositionalOptions() // else the root takes `-v` of `invoke`
  for (const {name, type} of GLOBAL_FLAGS) root.option(`--${name}${type === 'bool' ? '' : ` <${type}>`}`)
  for (const entry of andVerbs(commands)) {
    // its name may be two words, which `root.command(name)` would take for a name and an argument
    const command = quiet(new Command(entry.name), explain(entry))
    root.addCommand(command)
    if (entry === called) {
      prepare(command, entry, async handler => {
        code = await handler
      })
    }
  }
  if (word === undefined) {
    root.action(async ({version: isVersion}: {readonly version?: boolean}) => {
      if (isVersion !== true) return printHelp(program, commands, undefined)
      const {version} = await import('./commands/version.ts')
      code = await version({flags: new GivenFlags({}), words: [], asJson: false})
    })
  }
  try {
    await root.parseAsync(args, {from: 'user'})
  } catch (error) {
    if (!isHelp) throw error
    await printHelp(program, commands, explained)
  }
  return code
}

/** Adds flags and action to a command. */
function prepare(command: Command, entry: CommandEntry, run: (handler: Promise<number>) => Promise<void>): void {
  const options = [...entry.flags, ...GLOBAL_FLAGS].map(flag => [flag, optionOf(flag)] as const)
  for (const [, option] of options) command.addOption(option)
  command.argument('[words...]').action(async (words: readonly string[]) => {
    const given: Readonly<Record<string, unknown>> = command.optsWithGlobals()
    const named = options.flatMap(([{name}, option]) => {
      const value = given[option.attributeName()]
      // commander reads --no-x as x: false, and sets x: true if --no-x is not given
      if (option.negate) return value === false ? [[name, true]] : []
      return option.attributeName() in given ? [[name, value]] : []
    })
    const flags = new GivenFlags(Object.fromEntries(named) as Record<string, unknown>)
    check(entry, flags)
    const load = flags.isSet('kubernetes') ? entry.loadKubernetes : entry.load
    if (load === undefined) throw new UserError(`${entry.name} is not supported for Kubernetes: use Dapr's own CLI`)
    await run((await load())({flags, words, asJson: flags.isSet('log-as-json')}))
  })
}

/** Returns the width of help: 80 columns, or less on a narrow terminal. */
const helpColumns = (): number =>
  process.stdout.isTTY ? Math.max(60, Math.min(80, process.stdout.columns || USUAL_COLUMNS)) : 80

function check({flags, required = []}: CommandEntry, given: GivenFlags): void {
  for (const {name, deprecated} of flags) {
    if (deprecated !== undefined && given.names.includes(name))
      print(process.stderr, `Flag --${name} has been deprecated, ${deprecated}\n`)
  }
  const wrong = given.isSet('kubernetes')
    ? undefined
    : flags.find(flag => flag.needsKubernetes && given.names.includes(flag.name))
  if (wrong !== undefined) {
    const value = given.text(wrong.name) ?? ''
    // `-n 5` means a number of lines, as for the tool `tail`
    const isCount = wrong.short === 'n' && /^\d+$/.test(value) && flags.some(({name}) => name === 'tail')
    const meant = isCount ? `did you mean --tail ${value}?` : 'add --kubernetes'
    throw new UserError(`--${wrong.name} is for Kubernetes: ${meant}`)
  }
  const missing = required.filter(name => !given.names.includes(name)).toSorted()
  if (missing.length > 0)
    throw new UsageError(`required flag(s) ${missing.map(name => `"${name}"`).join(', ')} not set`)
  for (const {name, type, check: checkValue} of flags) {
    const value = type === 'string' ? given.text(name) : undefined
    if (value !== undefined) checkValue?.(value)
  }
}

/** Prints the help of a command. Without a command, prints the overview of the commands that matter in this folder, or of `all` commands. */
async function printHelp(
  program: string,
  commands: readonly CommandEntry[],
  entry: CommandEntry | undefined,
  all = false
): Promise<void> {
  const {helpOf, overview} = await import('./help.ts')
  const columns = helpColumns()
  if (entry !== undefined) {
    // off a terminal the flags are in one list, as Dapr's CLI has them
    const shown = process.stdout.isTTY ? entry : {...entry, groups: []}
    return print(process.stdout, helpOf(program, shown, columns))
  }
  if (all) return print(process.stdout, overview(program, commands, {columns}))
  const [{shortGroups}, {usesHere}] = await Promise.all([import('./groups.ts'), import('./uses.ts')])
  const {uses, hasTemplate} = await usesHere(program)
  print(process.stdout, overview(program, commands, {groups: shortGroups(uses), hasTemplate, columns}))
}

/** `help [command]`, `help --all`. For an unknown command it prints cobra's message and the overview. */
async function help(words: readonly string[], commands: readonly CommandEntry[], program: string): Promise<number> {
  const [name = ''] = withVerb(words, commands)
  const entry = andVerbs(commands).find(command => command.name === name)
  if (entry === undefined && name !== '' && !name.startsWith('-'))
    print(process.stdout, `Unknown help topic [\`${name}\`]\n`)
  await printHelp(program, commands, entry, words.includes('--all'))
  return 0
}

/** Makes a commander command throw instead of printing and exiting, and show our help. */
function quiet(command: Command, text: () => string): Command {
  command
    .exitOverride()
    .configureOutput({writeOut: shown => print(process.stdout, shown), writeErr: () => undefined})
    .helpOption('-h, --help')
    .helpCommand(false)
  command.helpInformation = text
  return command
}

function optionOf(flag: Flag): Option {
  const value = flag.type === 'bool' ? '' : ` <${flag.type}>`
  const option = new Option(`${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}${value}`)
  if (flag.type === 'int') option.argParser(text => flag.words?.get(text) ?? flagInteger(flag, text))
  if (flag.type === 'strings') option.argParser<readonly string[]>(parseList)
  if (flag.type === 'stringArray' || flag.repeats)
    option.argParser<readonly string[]>((text, before) => {
      flag.check?.(text)
      return [...(before ?? []), text]
    })
  return option
}
