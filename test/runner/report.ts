import type {FileResult} from './file-result.ts'

/** What begins the reason of a test that is left out because a program is not there: see `missing` of the rig. */
const MISSING = /^missing: (.*)/

/** How often the progress is told, in ms. */
const OFTEN_MS = 10_000

/** How many of the files that take most of the CPU are named. */
const COSTLY = 15

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`

/** Tells people what the tests do: progress, failures at once and in full at the end, the slowest files, a count. */
export class Report {
  readonly results: FileResult[] = []
  /** The failed results of files that have passed alone. */
  readonly #flaky: FileResult[] = []
  readonly #total: number
  readonly #begun = performance.now()
  #told = -Infinity

  /** `total`: how many files are to come. */
  constructor(total: number) {
    this.#total = total
  }

  add(result: FileResult): void {
    this.results.push(result)
    for (const failure of result.failures) console.log(`FAIL ${failure.split('\n', 1)[0] ?? ''}`)
    const now = performance.now()
    if (now - this.#told < OFTEN_MS && this.results.length < this.#total) return
    this.#told = now
    const of = `${this.results.length} of ${this.#total} files`
    const {passed, failed} = this.count()
    console.log(`${of}, ${passed} passed, ${failed} failed, ${seconds(now - this.#begun)}`)
  }

  /** Files that have failed. */
  failed(): readonly string[] {
    return this.results.filter(({failures}) => failures.length > 0).map(({file}) => file)
  }

  /** A failed file has run once more, alone: the result counts if it has passed, and the file is named as flaky. */
  again(result: FileResult): void {
    const at = this.results.findIndex(({file}) => file === result.file)
    const before = this.results[at]
    for (const failure of result.failures) console.log(`FAIL alone, too: ${failure}\n`)
    if (before === undefined || result.failures.length > 0) return
    this.#flaky.push(before)
    this.results[at] = result
  }

  count(): {passed: number; failed: number} {
    const sum = (of: (result: FileResult) => number): number =>
      this.results.reduce((total, result) => total + of(result), 0)
    return {passed: sum(result => result.passed), failed: sum(result => result.failed)}
  }

  /** What tests were left out for want of, each once. */
  missing(): readonly string[] {
    const names = this.results.flatMap(({skipped}) => skipped.flatMap(reason => MISSING.exec(reason)?.[1] ?? []))
    return [...new Set(names)].toSorted()
  }

  /** Tells the slowest files, what was left out, and the failures; `again` is the command that runs one alone. */
  end(again: string): void {
    const slow = this.results.toSorted((one, other) => other.ms - one.ms).slice(0, 5)
    const cpu = this.results.reduce((total, {cpuMs}) => total + cpuMs, 0)
    console.log(`\nslowest: ${slow.map(({file, ms}) => `${file} ${seconds(ms)}`).join(', ')}`)
    const costly = this.results.toSorted((one, other) => other.cpuMs - one.cpuMs).slice(0, COSTLY)
    if (cpu > 0)
      console.log(
        `CPU of the tests: ${seconds(cpu)}, most of it: ${costly.map(({file, cpuMs}) => `${file} ${seconds(cpuMs)}`).join(', ')}`
      )
    const left = this.results.flatMap(({skipped}) => skipped).length
    const missing = this.missing()
    if (missing.length > 0) console.log(`left out for want of ${missing.join(', ')}`)
    if (left > 0) console.log(`${left} tests left out`)
    for (const {file} of this.#flaky)
      console.log(`FLAKY ${file}: it failed among others, and passed alone: find its race`)
    for (const {file, failures} of [...this.#flaky, ...this.results]) {
      if (failures.length === 0) continue
      console.log(`\n${'-'.repeat(80)}`)
      for (const failure of failures) console.log(`FAIL ${failure}\n`)
      console.log(`again: ${again} ${file}`)
    }
  }
}
