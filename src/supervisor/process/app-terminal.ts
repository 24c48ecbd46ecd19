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

/** Size of the output that is kept for later clients. At twice the size, the older half is dropped. */
const KEPT = 64 * 1024
/** Interval of write retries, in ms: a terminal accepts bytes only as its programs read them. */
const AGAIN_MS = 20
/** Maximum size of one read from a terminal, in bytes. */
const READ = 64 * 1024

/** The terminals of an app (`tty: true`), one for each of its processes. Attached clients see them one after the other, as on one screen. */
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

  /** Opens the terminal of the next process. Throws if that fails. */
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

  /** Shows a client the latest screen of output, and all further output. Returns a function that detaches the client. */
  attach(viewer: TerminalViewer): () => void {
    this.#viewers.add(viewer)
    if (this.#latest?.lines.isSecond === true) {
      viewer.show(Buffer.from(ENTER_SECOND_SCREEN))
      // resizes twice, since a program that draws the whole screen draws it again for another size
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

  /** Notifies the clients that no further process starts automatically. */
  end(): void {
    for (const viewer of this.#viewers) viewer.ended()
  }

  #show(bytes: Buffer): void {
    this.#kept += bytes.toString('latin1')
    if (this.#kept.length > 2 * KEPT) this.#kept = this.#kept.slice(-KEPT)
    for (const viewer of this.#viewers) viewer.show(bytes)
  }

  /** Returns the text that resets the screen and announces a new process. */
  #between({lines}: ProcessTerminal): string {
    const left = lines.isSecond ? LEAVE_SECOND_SCREEN : ''
    return `${left}${RESET_MODES}\r\n[a new process of ${this.#id}]\r\n`
  }
}

/** Returns the last lines of a text, including an incomplete one. */
function lastLines(text: string, count: number): string {
  let from = text.length
  for (let line = 0; line < count && from >= 0; line++) from = text.lastIndexOf('\n', from - 1)
  return text.slice(from + 1)
}

/**
 * Script of the leader, which opens the terminal to make it the terminal of its session (open(2)), so that Ctrl-C reaches the program and its
 * children. TERM is that of Pillion, else the most common one, since later clients may have any terminal.
 */
const EXEC = `exec <>"$1" >&0 2>&1; shift; export TERM="\${TERM:-xterm-256color}"; exec "$@"`

interface TerminalListener {
  readonly saw: (bytes: Buffer) => void
  /** Called when no process uses the terminal any more. */
  readonly closed: () => void
}

export class ProcessTerminal implements TheirStdio {
  /** Arguments of a shell that runs the command in this terminal. */
  readonly exec: readonly string[]
  readonly stdin: number
  readonly stdout: {readonly theirs: number}
  readonly stderr: {readonly theirs: number}
  /** Converts output of the terminal to lines for the log. */
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

  /** Reads the output until the last process has closed the terminal, which Node reports as an error (EIO). */
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

  /** Types bytes into the terminal. Settles when it has accepted them, is closed, or the signal is aborted. */
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

  /** Closes a terminal that no process has used. */
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
      return bytes.length // drops the bytes, since no process is left to read them
    }
  }

  #close(): void {
    this.#isOpen = false
    this.#listener.closed()
  }
}
