import {spawn, type ChildProcess} from 'node:child_process'
import {isatty} from 'node:tty'
import type {Exit} from '../../model/app-state.ts'
import {messageOf} from '../../model/errors.ts'
import {isForeground} from '../../platform/key-mode.ts'
import {sendSignal} from '../../platform/process-group.ts'
import {endMarked, type MarkedEnding} from './end-group.ts'

/**
 * A command that Pillion runs for the user, with the stdin, stdout and stderr of Pillion. On a terminal it shares Pillion's process
 * group, to read there and to get Ctrl-C. Elsewhere it has its own session, so that a signal reaches all its processes.
 */
export class ForegroundCommand {
  readonly exited: Promise<Exit>
  /** Whether the command is in the terminal's foreground group, so that the terminal sends it Ctrl-C and Ctrl-\ itself. */
  readonly #sharesTerminal = [0, 1, 2].some(fd => isatty(fd)) && isForeground()
  readonly #child: ChildProcess | undefined
  readonly #marker: string
  #isOver = false

  /** `line`: for `sh -c`. `environment`: complete, with both markers. `marker`: value of `PILLION_LIFE` in all its processes. */
  constructor(line: string, environment: Readonly<Record<string, string>>, marker: string) {
    this.#marker = marker
    const end = Promise.withResolvers<Exit>()
    this.exited = end.promise
    const over = (exit: Exit): void => {
      this.#isOver = true
      end.resolve(exit)
    }
    try {
      this.#child = spawn('/bin/sh', ['-c', replacing(line)], {
        env: environment,
        stdio: 'inherit',
        detached: !this.#sharesTerminal
      })
      this.#child.on('error', error => over({kind: 'spawn-error', message: error.message}))
      this.#child.on('exit', (code, signal) =>
        over(signal === null ? {kind: 'code', code: code ?? 0} : {kind: 'signal', signal})
      )
    } catch (error) {
      over({kind: 'spawn-error', message: messageOf(error)})
    }
  }

  /** Forwards a signal that Pillion has received, unless the terminal has sent it to the command, too. */
  pass(signal: NodeJS.Signals): void {
    if (!(this.#sharesTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT'))) this.signal(signal)
  }

  signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (!this.#isOver && pid !== undefined) sendSignal(this.#sharesTerminal ? pid : -pid, name)
  }

  /** Ends processes that the command has left: SIGTERM, the grace period, SIGKILL. */
  async endRest(options: Pick<MarkedEnding, 'graceMs' | 'now' | 'ended'>): Promise<void> {
    await endMarked({...options, marker: `PILLION_LIFE=${this.#marker}`})
  }
}

/** Matches a program with arguments that needs no shell around it. */
const SIMPLE = /^\s*([\w./-]+)(?:\s[^;&|(){}`\n]*)?$/
/** Matches words of the shell itself. */
const OF_SHELL =
  /^(?:\.|:|alias|bg|case|cd|command|do|done|else|esac|eval|exec|exit|export|fg|fi|for|getopts|hash|if|jobs|local|read|readonly|return|set|shift|source|then|time|times|trap|type|ulimit|umask|unset|until|wait|while)$/

/** Returns a simple command with `exec`: a shell that gets a signal would end before the command, without its exit code. */
export function replacing(line: string): string {
  const name = SIMPLE.exec(line)?.[1] ?? ''
  return name === '' || OF_SHELL.test(name) ? line : `exec ${line.trim()}`
}
