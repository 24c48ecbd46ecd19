import {ApiError} from '../../../control/api-client.ts'
import {withReason, type FoundRun} from '../../../control/client.ts'
import type {Launch} from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {readAppName} from '../../../observe/api/apps.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {UsageError, type CommandContext, type CommandHandler} from '../command-handler.ts'
import {print} from '../print.ts'
import {idsOf, runFinder} from '../run-here.ts'
import {say} from '../say.ts'
import {posix} from 'node:path'

type LaunchFormat = 'shell' | 'dotenv' | 'vscode'

/** Returns the process to start by hand, for a shell, as a file of variables, or as an entry of VS Code's `launch.json`. */
export function launchText(launch: Launch, format: LaunchFormat): string {
  if (format === 'vscode') return `${JSON.stringify(launchEntry(launch), null, 2)}\n`
  const command = launch.command.map(shellQuoted).join(' ')
  const head = `${launch.appId}, in ${launch.folder}: ${command}`.replaceAll(/[\r\n]+/g, ' ')
  return `# ${head}\n${variables(launch, format)}`
}

/** Returns the variables without the command, each on its line; for VS Code a JSON object. */
export function variables({environment, added}: Launch, format: LaunchFormat): string {
  const set = Object.fromEntries(added.map(name => [name, environment[name] ?? '']))
  if (format === 'vscode') return `${JSON.stringify(set, null, 2)}\n`
  const line = format === 'shell' ? shellLine : dotenvLine
  return Object.entries(set)
    .filter(([name]) => NAME.test(name)) // shells accept only these names
    .map(([name, value]) => `${line(name, value)}\n`)
    .join('')
}

const NAME = /^[A-Za-z_]\w*$/

const shellLine = (name: string, value: string): string => `export ${name}=${shellQuoted(value)}`

/**
 * Returns a line of an env file. Single quotes keep a value as it is. A value with a single quote needs double quotes, in which `\n` is a
 * line break; so does a value of several lines, unless it contains a double quote or a backslash: Node does not unescape those.
 */
function dotenvLine(name: string, value: string): string {
  if (PLAIN.test(value)) return `${name}=${value}`
  if (!/['\r]/.test(value) && (!value.includes('\n') || /["\\]/.test(value))) return `${name}='${value}'`
  return `${name}="${value.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`
}

const PLAIN = /^[\w./:@%+,-]*$/

/** Returns an entry of `configurations` (code.visualstudio.com/docs/debugtest/debugging-configuration), by the program of the command. */
function launchEntry({appId, folder, command, environment, added}: Launch): object {
  const env = Object.fromEntries(added.map(name => [name, environment[name] ?? '']))
  const [program = '', ...args] = command
  const shared = {name: appId, request: 'launch', cwd: folder, env}
  const name = posix.basename(program)
  if (/^(python|pypy)[\d.]*$/.test(name)) return {type: 'debugpy', ...shared, python: program, ...pythonOf(args)}
  if (['uvicorn', 'gunicorn', 'flask', 'hypercorn'].includes(name))
    return {type: 'debugpy', ...shared, module: name, args}
  if (/^(node|nodejs|npm|npx|pnpm|yarn|tsx|ts-node|bun)$/.test(name))
    return {type: 'node', ...shared, runtimeExecutable: program, runtimeArgs: args}
  if (name === 'go' && args[0] === 'run') return {type: 'go', mode: 'debug', ...shared, ...goOf(args.slice(1))}
  if (name === 'dotnet') return {type: 'coreclr', ...shared, program, args}
  // any other program: VS Code runs it in a terminal, where its Node debugger attaches by itself
  return {type: 'node-terminal', ...shared, command: command.map(shellQuoted).join(' ')}
}

/** Options of Python, and flags of `go run`, whose value is the next argument. */
const OF_PYTHON = /^-[WX]$/
const OF_GO =
  /^--?(?:C|p|asmflags|buildmode|compiler|covermode|coverpkg|exec|gccgoflags|gcflags|installsuffix|ldflags|mod|modfile|overlay|pgo|pkgdir|tags|toolexec)$/

/** Splits options from the program and its arguments. `valued`: options whose value is the next argument. */
function parted(
  args: readonly string[],
  valued: RegExp
): readonly [options: readonly string[], rest: readonly string[]] {
  let end = 0
  while (/^-(?![mc]$)/.test(args[end] ?? '')) end += valued.test(args[end] ?? '') ? 2 : 1
  return [args.slice(0, end), args.slice(end)]
}

function pythonOf(all: readonly string[]): object {
  const [pythonArgs, [program = '', ...args]] = parted(all, OF_PYTHON)
  const options = pythonArgs.length > 0 ? {pythonArgs} : {}
  return program === '-m' ? {...options, module: args[0] ?? '', args: args.slice(1)} : {...options, program, args}
}

function goOf(all: readonly string[]): object {
  const [flags, [program = '.', ...args]] = parted(all, OF_GO)
  return {program, args, ...(flags.length > 0 && {buildFlags: flags.map(shellQuoted).join(' ')})}
}

/** `debug ID [--format F]`: ends the app's process, and prints the command for a debugger. */
export const debug: CommandHandler = async context => {
  const format = formatOf(context)
  const {id, run} = await appOf(context, 'debug')
  const {isChanged} = await withReason(async () => run.api.ask('POST /apps/{id}/debug', {at: {id}})).catch(
    (error: unknown) => {
      throw error instanceof UserError ? new UserError(`failed to debug app id ${id}: ${error.message}`) : error
    }
  )
  const launch = await run.api.ask('GET /apps/{id}/launch', {at: {id}})
  print(process.stdout, launchText(launch, format))
  const stopped = isChanged === true ? `${id} is stopped for debugging` : `${id} is already being debugged`
  const calls = launch.appPort > 0 ? `; calls wait until it listens on port ${launch.appPort}` : ''
  const text = `${stopped}${calls}. To run it here again: pillion start ${id}`
  say(process.stderr, 'info', text, context.asJson)
  return 0
}

/** `env ID [--all] [--format F]`: the environment of an app. */
export const env: CommandHandler = async context => {
  const format = formatOf(context)
  const {id, run} = await appOf(context, 'env')
  const launch = await launchFor(run, id)
  const isWhole = context.flags.isSet('all')
  const shown: Launch = isWhole ? {...launch, added: Object.keys(launch.environment)} : launch
  print(process.stdout, variables(shown, format))
  return 0
}

/** Returns the command and the environment with which the app would start now. Throws a UserError if the app is stopped. */
export const launchFor = async ({api}: FoundRun, id: string): Promise<Launch> =>
  api.ask('GET /apps/{id}/launch', {at: {id}}).catch((error: unknown) => {
    const isStopped = error instanceof ApiError && error.status === 409
    throw isStopped ? new UserError(`app id ${id} is stopped: "pillion start ${id}" brings it back`) : error
  })

/** Returns the format of a command's output. The parser has checked it. */
const formatOf = ({flags}: CommandContext): LaunchFormat => (flags.text('format') ?? 'shell') as LaunchFormat

async function appOf(
  {words, flags, asJson}: CommandContext,
  verb: string
): Promise<{readonly id: string; readonly run: FoundRun}> {
  const [id, ...others] = idsOf({words, flags})
  if (id === undefined || others.length > 0) throw new UsageError(`${verb} needs the id of one app`)
  return {id, run: await runWith({flags, asJson}, id)}
}

/** Finds the run of an app, whose id may end with a version: `hello@1.0.0`. */
export const runWith = async (
  {flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>,
  id: string
): Promise<FoundRun> => (await runFinder(flags, asJson)).find(readAppName({id: encodeURIComponent(id)}).id)
