import {createWriteStream, rmSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {RunGone} from '../../../control/ask.ts'
import type {FoundRun} from '../../../control/client.ts'
import {codeOf, messageOf, UserError} from '../../../model/errors.ts'
import {openKeptLog} from '../../../observe/logging/log-parts.ts'
import {readPart} from '../../../observe/logging/log-reader.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {namesInFolder} from '../../../platform/paths.ts'
import {type RunOutcome, plainText} from './outcome.ts'
import {within} from '../../../platform/delay.ts'
import {deathText} from '../death-text.ts'

/** How long to wait for the last events at the end of a run. */
const TIMEOUT_MS = 5000

/** The folder of `--report`: `events.ndjson`, `calls.har` (those that failed), `logs/`, `deaths.md`. */
export class ReportFolder {
  readonly #path: string
  readonly #warn: (text: string) => void
  #events: Promise<void> = Promise.resolve()

  private constructor(path: string, warn: (text: string) => void) {
    this.#path = path
    this.#warn = warn
  }

  /** Opens the folder, and empties files of an earlier report. Throws a UserError if nothing can be written into the folder. */
  static async open(path: string, warn: (text: string) => void): Promise<ReportFolder> {
    const logs = join(path, 'logs')
    try {
      makeFolder(logs)
      // removes logs of an earlier run, which may have had other apps; a file next to a `.sidecar.log` is surely ours
      for (const name of namesInFolder(logs).filter(each => each.endsWith('.sidecar.log')))
        for (const old of [name, name.replace(/\.sidecar\.log$/, '.log')]) rmSync(join(logs, old), {force: true})
      await Promise.all(['events.ndjson', 'calls.har', 'deaths.md'].map(async name => writeFile(join(path, name), '')))
    } catch (error) {
      throw new UserError(`cannot write the report to ${path}: ${messageOf(error)}`, {cause: error})
    }
    return new ReportFolder(path, warn)
  }

  /** Writes events from now on, until the run ends. */
  follow(run: FoundRun): void {
    this.#events = this.#orWarn(async () => {
      const {message} = await run.api.open('GET /events', {query: {format: 'ndjson'}})
      await this.#save(message, 'events.ndjson')
    })
  }

  async saveCalls(run: FoundRun): Promise<void> {
    await within(
      TIMEOUT_MS,
      this.#orWarn(async () => {
        const {message} = await run.api.open('GET /calls.{format}', {at: {format: 'har'}, query: {q: 'is:failed'}})
        await this.#save(message, 'calls.har')
      })
    )
  }

  /** Completes the folder once the run has ended: writes the crashes, and copies the logs. */
  async finish(outcome: RunOutcome): Promise<void> {
    await within(TIMEOUT_MS, this.#events)
    await this.#orWarn(async () => writeFile(join(this.#path, 'deaths.md'), deathsMarkdown(outcome)))
    for (const {name, logFile, sidecarLogFile} of outcome.apps) {
      await this.#copy(logFile, `${encodeURIComponent(name)}.log`)
      await this.#copy(sidecarLogFile, `${encodeURIComponent(name)}.sidecar.log`)
    }
  }

  async #copy(from: string, name: string): Promise<void> {
    if (from === '') return
    const texts = readPart(async () => openKeptLog(from), 0, Infinity)
    await this.#orWarn(async () => pipeline(texts, createWriteStream(join(this.#path, 'logs', name), 'latin1')))
  }

  async #save(from: Readable, name: string): Promise<void> {
    await pipeline(from, createWriteStream(join(this.#path, name)))
  }

  /** Does a part of the report. An error is only a warning: an incomplete report does not fail the run. */
  async #orWarn(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (codeOf(error) !== 'ECONNRESET' && !(error instanceof RunGone))
        this.#warn(`cannot write the report to ${this.#path}: ${messageOf(error)}`)
    }
  }
}

/** Returns the crashes as Markdown, each as `pillion why` shows it. */
function deathsMarkdown({template, apps}: RunOutcome): string {
  const deaths = apps.flatMap(app => app.deaths).toSorted((a, b) => a.number - b.number)
  if (deaths.length === 0) return `# Crashes\n\nNo app of ${template} crashed.\n`
  const parts = deaths.map(death => {
    const {number, name, text} = death
    return `## ${number}. ${name}\n\n${text}\n\n${fenced(deathText(death, {isTold: true, isOver: true}))}\n`
  })
  return `# Crashes\n\n${parts.join('\n')}`
}

/** Returns a block of code whose fence is longer than any in the text (CommonMark, 4.5). */
function fenced(code: string): string {
  const text = plainText(code)
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}${fence}`
}
