import {Transform, type TransformCallback} from 'node:stream'
import {Parser, type Result} from 'tap-parser'
import {stringify} from 'tap-yaml'

/** Tap's results for people: a line for each file, each failure in full, and a closing count of assertions. */
export default class Report extends Transform {
  readonly #parser = new Parser()
  readonly #count = {passed: 0, failed: 0, left: 0}

  constructor() {
    super()
    this.#parser
      .on('pass', () => this.#count.passed++)
      .on('skip', () => this.#count.left++)
      .on('todo', () => this.#count.left++)
      .on('fail', (result: Result) => this.#fail(result))
      .on('assert', ({ok, name, time}: Result) =>
        this.push(`${ok ? 'ok  ' : 'FAIL'} ${name} (${Math.round(time ?? 0).toString()} ms)\n`)
      )
      .on('bailout', (reason: string) => this.push(`stopped early: ${reason}\n`))
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parser.write(chunk)
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#parser.end()
    const {passed, failed, left} = this.#count
    if (left > 0) this.push(`${left.toString()} skipped or to do\n`)
    done(null, `${passed.toString()} passed, ${failed.toString()} failed\n`)
  }

  #fail({fullname, name, diag}: Result): void {
    this.#count.failed++
    this.push(`\nFAIL ${fullname || name}\n${diag ? stringify(diag) : ''}\n`)
  }
}
