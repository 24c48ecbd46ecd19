import {spawn, type ChildProcessByStdio} from 'node:child_process'
import {once} from 'node:events'
import type {Readable, Writable} from 'node:stream'
import {Output, type Pattern, type WaitOptions} from './output.ts'

export interface ProgramOptions {
  /** The program and its arguments. */
  readonly command: readonly string[]
  readonly folder: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const shown = (name: string, {text}: Output): string => (text === '' ? '' : `${name}:\n${text.replace(/\n?$/, '\n')}`)

/** A program that was started for a test, in a session of its own; everything it writes is kept. */
export class Program {
  readonly command: readonly string[]
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Output
  readonly stderr: Output
  /** The process has ended and nobody holds its pipes any more. */
  readonly exited: Promise<Ended>
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  #ended: Ended | undefined

  constructor({command, folder, env}: ProgramOptions) {
    const [file = '', ...args] = command
    this.command = command
    this.#child = spawn(file, args, {cwd: folder, env, detached: true, stdio: ['pipe', 'pipe', 'pipe']})
    this.#child.on('error', () => undefined) // told by the missing pid below; later ones are of `kill`
    if (this.#child.pid === undefined) throw new Error(`cannot start ${command.join(' ')}`)
    this.pid = this.#child.pid
    this.stdin = this.#child.stdin
    this.stdin.on('error', () => undefined) // a program need not read its input
    this.stdout = new Output(this.#child.stdout)
    this.stderr = new Output(this.#child.stderr)
    this.exited = new Promise(resolve => {
      this.#child.once('close', (code, signal) => resolve((this.#ended = {code, signal})))
    })
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The process has ended, whoever holds its pipes. */
  async gone(): Promise<Ended> {
    if (!this.hasExited) await once(this.#child, 'exit')
    return {code: this.#child.exitCode, signal: this.#child.signalCode}
  }

  /** Waits for a line on stdout, or on the stream that is named. */
  async waitForLine(
    pattern: Pattern,
    {stream = 'stdout', ...wait}: WaitOptions & {readonly stream?: 'stdout' | 'stderr'} = {}
  ): Promise<string> {
    return this[stream].line(pattern, wait)
  }

  /** The ports of an app's sidecar, from the line that tells them in either form of `run`. */
  async ports(id: string): Promise<{readonly http: number; readonly grpc: number}> {
    const line = await this.waitForLine(new RegExp(`Start(ed|ing) Dapr with (app )?id "?${literal(id)}"?\\. HTTP Port`))
    const [, http, grpc] = /HTTP Port: (\d+)\. gRPC Port: (\d+)/.exec(line) ?? []
    return {http: Number(http), grpc: Number(grpc)}
  }

  /** Reads nothing more of stdout and stderr, which are sockets, until `readOutput`. */
  leaveOutput(): void {
    this.#child.stdout.pause()
    this.#child.stderr.pause()
  }

  readOutput(): void {
    this.#child.stdout.resume()
    this.#child.stderr.resume()
  }

  /** The reader of both is gone. */
  closeOutput(): void {
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Sends a signal and waits for the end. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(name)
    return this.exited
  }

  /** Signals the whole foreground group, as a terminal's Ctrl-C does. */
  signalGroup(name: NodeJS.Signals): void {
    if (!this.hasExited) process.kill(-this.pid, name)
  }

  /** All that is known, for the report of a test that failed. */
  report(): string {
    const end = this.#ended
      ? `ended with ${String(this.#ended.code ?? this.#ended.signal)}`
      : this.hasExited
        ? 'ended, but somebody holds its pipes'
        : 'not ended'
    return `--- ${this.command.join(' ')} (pid ${this.pid}, ${end})\n${shown('stdout', this.stdout)}${shown('stderr', this.stderr)}`
  }
}
