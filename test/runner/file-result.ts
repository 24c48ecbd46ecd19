import type {ChildProcess} from 'node:child_process'
import {Parser, type Result} from 'tap-parser'
import {stringify} from 'tap-yaml'

/** What became of a test file. */
export interface FileResult {
  readonly file: string
  readonly ms: number
  /** 0 where the system does not tell it. */
  readonly cpuMs: number
  readonly passed: number
  readonly failed: number
  /** Each in full, for people. */
  readonly failures: readonly string[]
  /** Why tests of it were left out. */
  readonly skipped: readonly string[]
}

interface Ending {
  readonly ms: number
  readonly cpuMs: number
  /** The process has ended without a word. */
  readonly hasEnded: boolean
}

/** The last of what a file has written to stderr: a rig shows there what its programs printed. */
const MUCH_TEXT = 20_000

/** Reads the TAP of a worker, file by file. */
export class FileReader {
  readonly #parser = new Parser()
  readonly #child: ChildProcess
  #passed = 0
  #failed = 0
  #failures: string[] = []
  #skipped: string[] = []
  #stderr = ''
  /** The file whose subtest has ended last, and who waits for that. */
  #complete = ''
  #waiting: (() => void) | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.#parser
      .on('pass', () => this.#passed++)
      .on('fail', (result: Result) => this.#fail(result))
      .on('skip', ({skip}: Result) => this.#skipped.push(typeof skip === 'string' ? skip : ''))
      .on('todo', ({todo}: Result) => this.#skipped.push(typeof todo === 'string' ? todo : ''))
      .on('assert', ({name}: Result) => this.#end(name))
    child.stdout?.on('data', (text: Buffer) => this.#parser.write(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MUCH_TEXT)
    })
  }

  /** The counts since the last file; waits until its results have been read, or the process has ended. */
  async result(file: string, {ms, cpuMs, hasEnded}: Ending): Promise<FileResult> {
    if (!hasEnded && this.#complete !== file)
      await new Promise<void>(resolve => {
        this.#waiting = resolve
        this.#child.once('close', resolve)
      })
    if (hasEnded || this.#complete !== file) {
      const {exitCode, signalCode} = this.#child
      this.#failed++
      this.#failures.push(`${file}\nits process ended (${String(signalCode ?? exitCode)}) before its tests did`)
    }
    const failures = this.#failures.map((text, at) =>
      at === 0 && this.#stderr !== '' ? `${text}\n${this.#stderr}` : text
    )
    const result = {file, ms, cpuMs, passed: this.#passed, failed: this.#failed, failures, skipped: this.#skipped}
    this.#passed = this.#failed = 0
    this.#failures = []
    this.#skipped = []
    this.#stderr = ''
    return result
  }

  #end(name: string): void {
    this.#complete = name
    this.#waiting?.()
  }

  #fail({fullname, name, diag}: Result): void {
    this.#failed++
    this.#failures.push(`${fullname || name}\n${diag ? stringify(diag) : ''}`)
  }
}
