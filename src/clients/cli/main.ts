// clients/cli/ is the user interface: it parses the command line, calls other modules and prints the result. Only clients/cli/ writes to
// stdout and stderr, handles signals and chooses exit codes. The code of a command is loaded when the command is called.
import {basename} from 'node:path'
import {CommanderError} from 'commander'
import {isShortage, messageOf, UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {asCommander, inCobrasWords} from './argv.ts'
import {calledBy, commandsFor, withVerb} from './command-named.ts'
import type {CommandEntry} from './entries/command-entry.ts'
import {UsageError} from './command-handler.ts'
import {GLOBAL_FLAGS} from './flag.ts'
import {runCommandLine} from './parse.ts'
import {answerToFlag} from './other-tools.ts'
import {noteFailure, printWhole, signedLine, unwritten} from './print.ts'

const EXIT_USAGE = 255
const EXIT_BUG = 70

let args: readonly string[] = process.argv.slice(2)
let commands: readonly CommandEntry[] = []
/** `--log-as-json` before `--`, where the app's own arguments begin. */
const wantsJson = args
  .slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  .some(arg => /^--log-as-json(=(1|t|T|TRUE|true|True))?$/.test(arg))
const program = basename(process.argv[1] ?? 'pillion').replace(/\.js$/, '')

async function main(): Promise<number> {
  try {
    commands = await commandsFor(args)
    args = withVerb(args, commands)
    const flags = [...(calledBy(args, commands)?.flags ?? []), ...GLOBAL_FLAGS]
    return await runCommandLine(asCommander(args, flags), commands, program)
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? 0 : usageFailure(inCobrasWords(error.code, error.message, args, program))
    if (error instanceof UsageError) return usageFailure(error.message)
    if (error instanceof UserError) return userFailure(error)
    if (isFolderGone(error))
      return userFailure(
        new UserError('this folder is gone', {explanation: 'Change to one that exists.', code: 'folder'})
      )
    throw error
  }
}

/** Reports an error that is not the user's: a bug of ours, or no free descriptor for the code that reports mistakes. */
async function unexpected(error: unknown): Promise<number> {
  const {stack = messageOf(error)}: {readonly stack?: string} = error instanceof Error ? error : {}
  const short = `no more files may be open: ${messageOf(error)}. To raise the limit: ulimit -n`
  await printWhole(process.stderr, isShortage(error) ? signedLine('failure', short, wantsJson) : `${stack}\n`)
  return isShortage(error) ? 1 : EXIT_BUG
}

/** Whether the folder in which we were started was removed, as that of a worktree that is no longer needed: `process.cwd()` throws. */
const isFolderGone = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd'

/** Commands of Dapr's CLI: scripts read the usage that follows a mistake in one of them. */
const OF_DAPR = ['run', 'stop', 'list', 'logs', 'invoke', 'publish']

/** Reports wrong usage as cobra does: the message on stderr (off a terminal also on stdout), then a hint or, for scripts of Dapr's commands, the usage. */
async function usageFailure(message: string): Promise<number> {
  const words = calledBy(args, commands)
  const flag = /^unknown (?:flag: |shorthand flag: '.' in )(\S+)$/.exec(message)?.[1]
  const answer = words === undefined || flag === undefined ? undefined : answerToFlag(words.name, flag)
  const hint = answer === undefined ? nearFlag(message) : `${answer}\n`
  const name = words === undefined ? program : `${program} ${words.name}`
  const help = `Run '${name} --help' for usage.\n`
  if (words === undefined || process.stderr.isTTY || !OF_DAPR.includes(words.name))
    await printWhole(process.stderr, `Error: ${message}\n${hint}${help}`)
  else {
    const {usageText} = await import('./help.ts')
    await printWhole(process.stderr, `Error: ${message}\n${usageText(program, words)}\n${hint}`)
  }
  if (!process.stderr.isTTY || !process.stdout.isTTY) await printWhole(process.stdout, `${message}\n`)
  return EXIT_USAGE
}

/** Returns a suggestion for an unknown flag; '': no flag is similar. The usage is printed before it, since scripts expect the usage right after the message. */
function nearFlag(message: string): string {
  const typed = /^unknown flag: --(.*)$/.exec(message)?.[1]
  const names = [...(calledBy(args, commands)?.flags ?? []), ...GLOBAL_FLAGS].map(({name}) => name)
  const near = typed === undefined ? '' : typed === 'lines' && names.includes('tail') ? 'tail' : nearMiss(typed, names)
  return near === '' ? '' : `Did you mean --${near}?\n`
}

async function userFailure(error: UserError): Promise<number> {
  const {sayError} = await import('./say.ts')
  sayError(error, wantsJson)
  return error.exitCode
}

/** Waits until all output is written: a pipe takes 64 KiB at a time, and `exit` drops the rest. A closed reader is ignored. */
const flushed = async (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise(resolve => {
    if (stream.writableLength === 0) resolve()
    else stream.once('error', () => resolve()).write('', () => resolve())
  })

/** Ends the process once all is written. */
async function leave(code: number): Promise<void> {
  process.stdout.removeAllListeners('error').on('error', noteFailure) // the end of this function reports the error, once
  await Promise.all([process.stdout, process.stderr].map(flushed))
  const failure = unwritten()
  await printWhole(process.stderr, failure)
  process.exit(failure === '' || code !== 0 ? code : 1)
}

// no top-level await: the single executable is CommonJS
void main().catch(unexpected).then(leave)
