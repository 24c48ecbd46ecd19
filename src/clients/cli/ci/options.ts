import {type CommandContext, UsageError} from '../command-handler.ts'
import {COMMAND_FLAGS} from '../run-flags.ts'
import {flagDuration} from '../since.ts'

/** The options of `up --run`. */
export interface CommandRunOptions {
  /** The command, run by `sh -c`. */
  readonly command: string
  /** The id of the command's sidecar: calls of the command come from it. */
  readonly as: string
  /** How long the run has to be idle after the command; 0: the run stops as soon as the command has ended. */
  readonly settleMs: number
  /** Limit for start, command and settling together; Infinity: no limit. */
  readonly timeoutMs: number
  /** Whether a crash of an app makes the exit code 1. */
  readonly isStrict: boolean
  /** Whether the output of the apps is shown, too. */
  readonly showsLogs: boolean
  /** Path of the JUnit report; may be empty. */
  readonly junit: string
  /** Folder of the report; may be empty. */
  readonly report: string
}

/** Reads the options of a command run. Throws a UsageError. */
export function commandRunOptions({flags, words}: CommandContext): CommandRunOptions {
  const command = flags.text('run')
  if (command === undefined) {
    const given = COMMAND_FLAGS.map(({name}) => name).find(name => flags.names.includes(name)) ?? ''
    throw new UsageError(`--${given} needs --run: up --run 'npm test' --${given}`)
  }
  if (command.trim() === '') throw new UsageError(`--run needs a command: up --run 'npm test'`)
  if (words.length > 0 && !['only', 'except'].some(name => flags.names.includes(name)))
    throw new UsageError(
      `--run takes one argument: put the command in quotes: up --run '${[command, ...words].join(' ')}'`
    )
  const as = flags.text('as') ?? 'test'
  if (!/^[\w][\w.-]{0,62}$/.test(as))
    throw new UsageError(`invalid argument "${as}" for "--as" flag: expected an app id, for example e2e`)
  const durationOf = (name: string, otherwise: number): number => {
    const text = flags.text(name)
    return text === undefined ? otherwise : flagDuration(name, text)
  }
  return {
    command,
    as,
    settleMs: durationOf('settle', 0),
    timeoutMs: durationOf('timeout', Infinity),
    isStrict: flags.isSet('strict'),
    showsLogs: flags.isSet('logs'),
    junit: flags.text('junit') ?? '',
    report: flags.text('report') ?? ''
  }
}
