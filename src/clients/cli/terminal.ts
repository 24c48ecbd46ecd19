/**
 * stdout and stderr of a run. Apps, Pillion's own messages and the status lines below them share these two streams. A slow reader never
 * blocks the event loop, and no text is reordered.
 */
import {fstatSync, type Stats} from 'node:fs'
import {Writable} from 'node:stream'
import {isatty} from 'node:tty'
import type {CommandContext} from './command-handler.ts'
import {errorReason} from './print.ts'
import {TerminalOutput} from './terminal-output.ts'
import {USUAL_COLUMNS} from './width.ts'

/** Our stdout and stderr. During a run nothing else writes to them. */
export interface Terminal {
  readonly out: TerminalOutput
  readonly err: TerminalOutput
  readonly isTerminal: boolean
  /** Columns. Undefined if stdout is not a terminal. */
  readonly width: number | undefined
  /** Settles when stdout was closed: its reader or the terminal is gone. */
  readonly closed: Promise<void>
  /** Settles when everything is written, or when a reader has read nothing for a second. */
  readonly flush: () => Promise<void>
}

/** Whether a person watches: stdin and stdout are terminals, and the output is not JSON for a program. */
export const isOnTerminal = ({flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>): boolean =>
  isatty(1) && isatty(0) && !asJson && !flags.list('run-file').includes('-') && process.env['TERM'] !== 'dumb'

/**
 * Opens two descriptors. If both are the same file (`2>&1`), they share one queue, which keeps the order. From now on
 * `process.stdout` and `process.stderr` write to these queues, too.
 */
export function openTerminal({stdout = 1, stderr = 2} = {}): Terminal {
  const out = new TerminalOutput(stdout)
  const err = isSamePlace(fstatSync(stdout), fstatSync(stderr)) ? out : new TerminalOutput(stderr)
  if (stdout === 1 && stderr === 2) {
    replaceStream('stdout', out)
    replaceStream('stderr', err)
  }
  void out.failed.then(error => err.print(`cannot write to stdout: ${errorReason(error)}\n`))
  const isTerminal = isatty(stdout)
  return {
    out,
    err,
    isTerminal,
    get width() {
      return isTerminal ? process.stdout.columns || USUAL_COLUMNS : undefined
    },
    closed: out.closed,
    flush: async () => void (await Promise.all([out.drained(), err.drained()]))
  }
}

const isSamePlace = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino

/**
 * Replaces a stream of Node by one that writes to our queue. Node opens descriptor 1 at the first use of `process.stdout`, which fails
 * with EEXIST while libuv polls the descriptor for one of our writes (`uv_pipe_open`). A terminal keeps Node's stream, which knows its size.
 */
function replaceStream(name: 'stdout' | 'stderr', output: TerminalOutput): void {
  if (output.isTerminal) return
  const put = async (chunk: Buffer, done: () => void): Promise<void> => {
    void output.write(chunk.toString('latin1'))
    await output.drained()
    done()
  }
  const stream = new Writable({write: (chunk: Buffer, _encoding, done) => void put(chunk, done)})
  Object.defineProperty(process, name, {value: stream, configurable: true, enumerable: true})
}
