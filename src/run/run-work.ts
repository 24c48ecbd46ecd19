import {existsSync} from 'node:fs'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {FinishWork} from '../supervisor/reload/overlap.ts'
import type {WorkAccess} from '../observe/api/run-facts.ts'
import type {Instance} from '../work/workflow/instance.ts'
import {isShortage, messageOf, UserError} from '../model/errors.ts'
import {Once} from '../model/once.ts'
import type {Triggers} from '../model/triggers.ts'
import type {Reminders} from '../work/actor/reminders.ts'
import type {Jobs} from '../work/job/jobs.ts'
import type {Workflows} from '../work/workflow/workflows.ts'
import type {Outbox} from '../work/outbox.ts'
import {pause} from '../platform/delay.ts'
import {mayBeKept, notesFolder, workPath} from '../work/work-path.ts'
import type {OpenWork, RunWorkOptions} from './open-work.ts'

/** Time until the file is opened again after a failure for want of a file descriptor, in ms. */
const AGAIN_MS = 1000

/** Called with an instance that has changed. */
export type WorkflowListener = (workflows: Workflows, instance: Instance) => void

/** The workflows, actors' reminders and jobs of a run, which outlive it. Their file is opened when an app first needs it, or an earlier run has left some. */
export class RunWork implements WorkAccess {
  readonly #options: RunWorkOptions
  readonly #listeners: WorkflowListener[] = []
  readonly #opening = new Once<OpenWork>()
  /** Work in memory, empty, for readers while no file is open. */
  readonly #inMemory = new Once<OpenWork>()
  #opened: OpenWork | undefined
  #isClosed = false

  constructor(options: RunWorkOptions) {
    this.#options = options
  }

  /** Each of these opens the file, and rejects if it cannot be opened. */
  readonly workflows = async (): Promise<Workflows> => (await this.#open()).workflows
  readonly reminders = async (): Promise<Reminders> => (await this.#open()).reminders()
  readonly jobs = async (): Promise<Jobs> => (await this.#open()).jobs
  readonly outbox = async (): Promise<Outbox> => (await this.#open()).outbox

  /** Returns the triggers of sleeping apps that earlier runs have stored. */
  async triggers(): Promise<ReadonlyMap<string, Triggers>> {
    if (!mayBeKept(this.#options)) return new Map()
    const path = workPath(this.#options)
    return path === undefined || !existsSync(path) ? new Map() : (await this.#open()).triggers.all()
  }

  /** Stores the triggers of an app. Resolves also if they cannot be stored: then a later run asks the app's first process again. */
  async keepTriggers(app: string, triggers: Triggers): Promise<void> {
    if (this.#isClosed) return
    await this.#open()
      .then(async work => work.triggers.set(app, triggers))
      .catch((error: unknown) => this.#options.reporter.warn('work-file', messageOf(error)))
  }

  /** Called when an app accepts calls again. */
  appReady({id}: AppRuntime): void {
    this.#opened?.jobs.appReady(id)
  }

  /** Called when no app of this id is in the run any more. */
  appRemoved(id: string): void {
    this.#opened?.tellWaiting(id)
  }

  /** Returns the workflows, if this run or an earlier one has any. */
  readonly openWorkflows = (): Workflows | undefined => this.#opened?.workflows

  /** Opens the existing work for readers. Creates no file, and finds nothing in an empty place. */
  async known(): Promise<OpenWork> {
    const path = workPath(this.#options)
    if (this.#isClosed || this.#opening.begun !== undefined || (path !== undefined && existsSync(path)))
      return this.#open()
    return this.#inMemory.do(async () => (await import('./open-work.ts')).OpenWork.open(this.#options, undefined))
  }

  /** Resumes the work of earlier runs, and reports it. */
  async begin(): Promise<void> {
    const moved = existsSync(notesFolder(this.#options.env))
      ? (await import('./moved-work.ts')).movedWork(this.#options)
      : undefined
    if (moved === undefined && !mayBeKept(this.#options)) return
    const path = workPath(this.#options)
    if (path === undefined) return
    if (moved?.bring(path) === true)
      this.#options.reporter.tell(`this folder was ${moved.folder}: what its runs have taken on came along`)
    if (!existsSync(path)) return
    const work = await this.#openForLeft()
    if (work === undefined) return
    work.tellLeft(this.#options, path)
    if (work.reminderCount > 0) await work.reminders()
  }

  /** The number of reminders that an app has set, by type. */
  readonly remindersOf = (app: string): ReadonlyMap<string, number> => this.#opened?.remindersOf(app) ?? new Map()

  /** Returns the number of workflow workers that an instance of an app has connected. */
  connectedWorkers({id, home}: AppRuntime): number {
    return this.#opened?.workflows.connected(id, home) ?? 0
  }

  /** Returns the number of turns and activities of workflows that wait for a worker of the app. */
  waitingWork({id}: AppRuntime): number {
    return this.#opened?.workflows.lacking(id) ?? 0
  }

  /** Whether workflows wait for a worker of the app. */
  lacksWorker({id}: AppRuntime): boolean {
    return this.#opened?.workflows.lacksWorker(id) === true
  }

  /** Called after resources were read again. Applies changed limits. */
  settingsChanged(): void {
    this.#opened?.workflows.mayTakeMore()
  }

  /** Returns a function that waits until the workers of an ending process have finished their open work. The function resolves with false if its signal is aborted before. */
  readonly present = ({id, home}: AppRuntime): FinishWork =>
    this.#opened?.workflows.present(id, home) ?? (async () => Promise.resolve(true))

  /** Called when the process of an app was replaced. Its workers get work again. */
  readonly resume = ({id, home}: AppRuntime): void => this.#opened?.workflows.resume(id, home)

  /** Calls the listener with each instance of a workflow that changes from now on. */
  readonly onWorkflow = (listener: WorkflowListener): void => void this.#listeners.push(listener)

  /** Called after the sidecars are closed. */
  async close(): Promise<void> {
    this.#isClosed = true
    const inMemory = await this.#inMemory.begun?.catch(() => undefined)
    await inMemory?.close()
    const work = await this.#opening.begun?.catch(() => undefined)
    if (work === undefined) return
    if (this.#options.workMode === 'brief') {
      const {reporter} = this.#options
      for (const text of work.unfinished()) reporter.warn('work-unfinished', text)
    }
    await work.close()
  }

  /** Opens the file for work of an earlier run. Without a free descriptor it tries again a second later. Resolves with undefined if the run ends. */
  async #openForLeft(): Promise<OpenWork | undefined> {
    for (; !this.#isClosed; await pause(AGAIN_MS))
      try {
        return await this.#open()
      } catch (error) {
        if (!isShortage(error)) throw error
      }
    return undefined
  }

  async #open(): Promise<OpenWork> {
    if (this.#isClosed) throw new UserError('the run is stopping')
    this.#opened = await this.#opening.do(async () => {
      // loads both modules first: a failed load would leave the file open
      const [{OpenWork: Work}, {noteOwner}] = await Promise.all([import('./open-work.ts'), import('./moved-work.ts')])
      await this.#options.knowLeftOut()
      const path = workPath(this.#options)
      const open = await Work.open(this.#options, path)
      if (path !== undefined) noteOwner(this.#options, path)
      open.workflows.onChanged(instance => {
        for (const listener of this.#listeners) listener(open.workflows, instance)
      })
      return open
    })
    return this.#opened
  }
}
