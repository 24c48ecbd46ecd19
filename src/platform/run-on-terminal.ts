import {constants} from 'node:os'
import {isatty} from 'node:tty'
import {codeOf, messageOf, UserError} from '../model/errors.ts'

/** Exit codes of a shell for a program that is not found, or cannot be run (POSIX, Shell Command Language 2.8.2). */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

export interface TerminalCommand {
  /** The program and its arguments; the program is found by the PATH of `env`. */
  readonly command: readonly [string, ...string[]]
  readonly folder: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Runs a program in our place: it has our stdin, stdout, stderr and terminal. Resolves with its exit code, 128 and the number of the
 * signal that ended it. Ctrl-C reaches it by the terminal; other signals are passed on. Rejects with a UserError if it cannot be started.
 */
export async function runOnTerminal({command: [program, ...args], folder, env}: TerminalCommand): Promise<number> {
  const {spawn} = process.getBuiltinModule('node:child_process')
  let child: ReturnType<typeof spawn> | undefined
  // a terminal sends its signals to the program itself
  const isTerminal = [0, 1, 2].some(fd => isatty(fd))
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => (isTerminal && ['SIGINT', 'SIGQUIT'].includes(signal) ? undefined : child?.kill(signal)))
  return new Promise<number>((resolve, reject) => {
    child = spawn(program, args, {cwd: folder, env, stdio: 'inherit'}) // spawn throws some failures at once
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  }).catch((error: unknown) => {
    throw notStarted(program, folder, error)
  })
}

function notStarted(program: string, folder: string, error: unknown): UserError {
  const isMissing = codeOf(error) === 'ENOENT' || program === ''
  const why = isMissing ? `no program "${program}" is found from ${folder}` : messageOf(error)
  return new UserError(why, {exitCode: isMissing ? NOT_FOUND : NOT_EXECUTABLE, cause: error})
}
