import {closeSync, writeSync} from 'node:fs'
import type {Socket} from 'node:net'
import {ReadStream} from 'node:tty'
import {
  type TerminalViewer,
  LEAVE_SECOND_SCREEN,
  RESET_MODES,
  ENTER_SECOND_SCREEN,
  type TerminalSize
} from '../../model/terminal.ts'
import {codeOf} from '../../model/errors.ts'
import {pause} from '../../platform/delay.ts'
import type {TheirStdio} from '../../platform/pipes.ts'
import {openPseudoTerminal, resizePseudoTerminal, type PseudoTerminal} from '../../platform/pseudo-terminal.ts'
import {TerminalLines} from './terminal-lines.ts'

/** Bytes of output to keep for later clients; cut at twice as many. */
const KEPT = 64 * 1024
/** Interval at which writing is tried again, in ms: a terminal accepts only what its programs read. */
const AGAIN_MS = 20
/** Maximum size of one read from a terminal, in bytes. */
const READ = 64 * 1024

/** The terminals of an app, one for each of its processes. An attached client sees them one after the other, as on one screen. */
export class AppTerminal {
  readonly #id: string
  readonly #viewers = new Set<TerminalViewer>()
  readonly #open = new Set<ProcessTerminal>()
  #size: TerminalSize = {columns: 80, rows: 24}
  #latest: ProcessTerminal | undefined
  #kept = ''

  constructor(id: string) {
    this.#id = id
  }

  /** Opens the terminal of the next process; throws if it cannot. */
  open(): ProcessTerminal {
    const terminal = new ProcessTerminal(openPseudoTerminal(this.#size), {
      saw: bytes => this.#show(bytes),
      closed: () => this.#open.delete(terminal)
    })
    if (this.#latest !== undefined) this.#show(Buffer.from(this.#between(this.#latest)))
    this.#open.add(terminal)
    this.#latest = terminal
    return terminal
  }

  /** Shows a client the latest screen of output, and all further output. The returned function detaches it. */
  attach(viewer: TerminalViewer): () => void {
    this.#viewers.add(viewer)
    if (this.#latest?.lines.isSecond === true) {
      viewer.show(Buffer.from(ENTER_SECOND_SCREEN))
      // a program that draws the whole screen draws it again for another size
      const {columns, rows} = this.#size
      this.resize({columns, rows: rows + 1})
      this.resize({columns, rows})
    } else viewer.show(Buffer.from(lastLines(this.#kept, this.#size.rows - 1), 'latin1'))
    return () => this.#viewers.delete(viewer)
  }

  get isAttached(): boolean {
    return this.#viewers.size > 0
  }

  resize(size: TerminalSize): void {
    this.#size = size
    for (const terminal of this.#open) terminal.resize(size)
  }

  /** Called when no further process starts by itself. */
  end(): void {
    for (const viewer of this.#viewers) viewer.ended()
  }

  #show(bytes: Buffer): void {
    this.#kept += bytes.toString('latin1')
    if (this.#kept.length > 2 * KEPT) this.#kept = this.#kept.slice(-KEPT)
    for (const viewer of this.#viewers) viewer.show(bytes)
  }

  /** Returns the text that resets the screen for a new process, and announces it. */
  #between({lines}: ProcessTerminal): string {
    const left = lines.isSecond ? LEAVE_SECOND_SCREEN : ''
    return `${left}${RESET_MODES}\r\n[a new process of ${this.#id}]\r\n`
  }
}

/** The last lines of a text, with the incomplete one. */
function lastLines(text: string, count: number): string {
  let from = text.length
  for (let line = 0; line < count && from >= 0; line++) from = text.lastIndexOf('\n', from - 1)
  return text.slice(from + 1)
}

/**
 * Script of the leader, which gets its session's terminal by opening it (open(2)), so that Ctrl-C reaches the program and its children.
 * TERM is ours, else the most common: a later client's kind of terminal is unknown.
 */
const EXEC = `exec <>"$1" >&0 2>&1; shift; export TERM="\${TERM:-xterm-256color}"; exec "$@"`

interface TerminalListener {
  readonly saw: (bytes: Buffer) => void
  /** Called when no process uses it any more. */
  readonly closed: () => void
}

export class ProcessTerminal implements TheirStdio {
  /** Words of a shell that the command replaces. */
  readonly exec: readonly string[]
  readonly stdin: number
  readonly stdout: {readonly theirs: number}
  readonly stderr: {readonly theirs: number}
  /** Turns output of the terminal into lines for the log. */
  readonly lines = new TerminalLines()
  readonly #ours: number
  readonly #listener: TerminalListener
  #isOpen = true

  constructor({ours, theirs, path}: PseudoTerminal, listener: TerminalListener) {
    this.#ours = ours
    this.stdin = theirs
    this.stdout = this.stderr = {theirs}
    this.exec = ['-c', EXEC, 'sh', path]
    this.#listener = listener
  }

  /** Reads its output until its last process has closed it, which is reported as an error (EIO). */
  read(take: (chunk: Buffer) => void): Socket {
    const buffer = Buffer.allocUnsafeSlow(READ)
    const onread = {
      buffer,
      callback: (count: number) => {
        const bytes = Buffer.from(buffer.subarray(0, count))
        this.#listener.saw(bytes)
        take(bytes)
        return true
      }
    }
    const stream = new ReadStream(this.#ours, {onread})
    return stream.on('error', () => this.#close()).on('close', () => this.#close())
  }

  /** Types bytes. Settles when the terminal has accepted them, is closed, or the signal is aborted. */
  async type(bytes: Buffer, signal: AbortSignal): Promise<void> {
    let rest = bytes
    while (this.#isOpen && rest.length > 0 && !signal.aborted) {
      rest = rest.subarray(this.#write(rest))
      if (rest.length > 0) await pause(AGAIN_MS, signal)
    }
  }

  resize(size: TerminalSize): void {
    if (this.#isOpen) resizePseudoTerminal(this.#ours, size)
  }

  /** Closes a terminal that no process will use. */
  drop(): void {
    this.#close()
    closeSync(this.#ours)
    closeSync(this.stdin)
  }

  #write(bytes: Buffer): number {
    try {
      return writeSync(this.#ours, bytes)
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return 0
      return bytes.length // no process is left to read it
    }
  }

  #close(): void {
    this.#isOpen = false
    this.#listener.closed()
  }
}
