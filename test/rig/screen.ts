import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import {displayOf} from './display.ts'
import type {Program} from './program.ts'
import type {Rig} from './rig.ts'

const PTY = join(import.meta.dirname, '../fixtures/rig/pty.py')

/** Why there is no pseudo-terminal here; false: there is one. */
export const noScreen = spawnSync('python3', ['--version']).error !== undefined && 'no python3 here'

export interface ScreenOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
}

/** A program on a pseudo-terminal of its own, whose keys the test presses. */
export class Screen {
  readonly #program: Program
  #states = 0

  constructor(rig: Rig, command: readonly string[], {columns = 80, rows = 24, env = {}}: ScreenOptions = {}) {
    const terminal = {TERM: 'xterm-256color', ...env}
    this.#program = rig.start(['python3', PTY, columns.toString(), rows.toString(), ...command], {env: terminal})
  }

  /** The bytes that it has shown so far. */
  get text(): string {
    return this.#program.stdout.text
  }

  /** What it has shown so far, as a person reads it: no colours, and without what was erased again. */
  get lines(): readonly string[] {
    return displayOf(this.text).lines
  }

  get pid(): Promise<number> {
    return this.#program.stderr.line(/^pid /).then(line => Number(line.slice(4)))
  }

  /** The line that matches, at once if it was shown before. */
  async line(pattern: RegExp): Promise<string> {
    return this.#program.stdout.until(() => this.lines.find(line => pattern.test(line)), `line ${String(pattern)}`)
  }

  /** The bytes match, also within a line that has not ended. */
  async shows(pattern: RegExp): Promise<void> {
    await this.#program.stdout.until(() => pattern.test(this.text) || undefined, String(pattern))
  }

  /** What `look` finds in the bytes, as soon as it finds something; `what`: what is missing if it never does. */
  async sees<T>(look: (text: string) => T | undefined, what: string): Promise<T> {
    return this.#program.stdout.until(() => look(this.text), what)
  }

  type(text: string): void {
    this.#tell(['type', text])
  }

  /** Character by character, one right behind the other. */
  typeEach(text: string): void {
    this.#tell(['each', text])
  }

  resize(columns: number, rows: number): void {
    this.#tell(['size', columns, rows])
  }

  kill(signal: NodeJS.Signals): void {
    this.#tell(['kill', signal])
  }

  /** Whether what is typed is shown by the terminal, and comes line by line. */
  async isAsBefore(): Promise<boolean> {
    this.#tell(['state'])
    const line = await this.#program.stderr.line(/^state /, {nth: ++this.#states})
    return line === 'state echo=1 canonical=1'
  }

  /** The program has ended, and all that it has shown is here. */
  async ended(): Promise<void> {
    const shown = Number((await this.#program.stderr.line(/^exit /)).slice(5))
    const {stdout} = this.#program
    await stdout.until(() => stdout.bytes.length >= shown || undefined, `${shown} bytes`)
  }

  /** The terminal goes away, and whoever is still on it is hung up on. */
  async close(): Promise<void> {
    this.#program.stdin.end()
    await this.#program.exited
  }

  #tell(command: readonly unknown[]): void {
    this.#program.stdin.write(`${JSON.stringify(command)}\n`)
  }
}
