import type {TasksDone} from '../model/api.generated.ts'
import {ApiError, type Asked} from '../control/api-client.ts'
import {clientOf} from '../control/client.ts'
import type {LeaseSearch} from '../control/sidecar-leases.ts'
import {SerialQueue} from '../model/serial-queue.ts'
import {pause} from '../platform/delay.ts'
import type {FarChild} from '../work/workflow/far-messages.ts'
import {WorkflowError} from '../work/workflow/workflow-error.ts'
import type {Workflows} from '../work/workflow/workflows.ts'

/** How often the other runs are asked for an app that none of them has, in ms, while something waits for it. */
const LOOK_MS = 2000
/** The limit of a purge in ms: the other run may ask further runs before it answers. */
const PURGE_MS = 10_000

/** Chooses the run to ask for an app that ours does not have; `name` undefined: any run. Undefined: no other run is asked. */
export type TaskLender = (app: string) => {readonly name: string | undefined} | undefined

/** A run that does work of ours with the workers of an app. */
interface Loan {
  readonly path: string
  readonly client: string
  readonly done: AsyncIterable<TasksDone>
  readonly end: () => void
}

type FarSide = Pick<Workflows, 'connectRun' | 'completeFar' | 'missing'>

/** Activities and children that apps of the user's other runs do: such a run acts as a worker here, until it ends. */
export class FarWork {
  readonly #search: LeaseSearch
  readonly #lender: TaskLender
  readonly #workflows: FarSide
  /** Apps that are searched for, or were found. */
  readonly #apps = new Set<string>()
  readonly #closing = new AbortController()

  constructor(search: LeaseSearch, lender: TaskLender, workflows: FarSide) {
    this.#search = search
    this.#lender = lender
    this.#workflows = workflows
  }

  /** Searches for a run with this app, since work waits for it. */
  want(app: string): void {
    if (this.#apps.has(app) || this.#closing.signal.aborted) return
    this.#apps.add(app)
    void this.#look(app).finally(() => this.#apps.delete(app))
  }

  /** Purges a child in its own run; returns how many instances were removed, undefined: no run has the app. Rejects with a WorkflowError. */
  async purge({app, id, parent}: FarChild, isForced: boolean): Promise<number | undefined> {
    const from = this.#lender(app)
    const candidates = from === undefined ? [] : await this.#search.candidates(from.name)
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(PURGE_MS)])
    const asked = {at: {id: app}, body: {id, parent, force: isForced}, signal}
    const counts = await Promise.all(candidates.map(async ({path}) => purgedBy(path, asked)))
    const known = counts.filter(count => count !== undefined)
    return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count)
  }

  close(): void {
    this.#closing.abort()
  }

  async #look(app: string): Promise<void> {
    const {signal} = this.#closing
    for (;;) {
      const loan = await this.#find(app)
      if (signal.aborted) return loan?.end()
      if (loan !== undefined) await this.#work(app, loan)
      if (signal.aborted || !this.#workflows.missing(app)) return
      await pause(LOOK_MS, signal)
    }
  }

  async #find(app: string): Promise<Loan | undefined> {
    const from = this.#lender(app)
    if (from === undefined) return undefined
    // what cannot be read now may be a moment later
    const candidates = await this.#search.candidates(from.name).catch(() => [])
    const loans = await Promise.all(
      candidates.map(async ({path}) => this.#search.within(path, async signal => this.#loanOf(path, app, signal)))
    )
    const [first, ...others] = loans.filter(loan => loan !== undefined)
    for (const loan of others) loan.end()
    return first
  }

  /** Throws if the run does not have the app. */
  async #loanOf(path: string, id: string, signal: AbortSignal): Promise<Loan> {
    const over = new AbortController()
    const all = AbortSignal.any([signal, over.signal, this.#closing.signal])
    const done = await clientOf(path).follow('GET /apps/{id}/tasks', {at: {id}, signal: all})
    const client = (await done.next()).value?.guest
    if (client === undefined) throw new Error('the run has ended')
    return {path, client, done, end: () => over.abort()}
  }

  async #work(app: string, {path, client, done, end}: Loan): Promise<void> {
    const posts = new SerialQueue() // each has a connection of its own, and a child begins before it is to end
    let items: string[] = []
    const post = async (): Promise<void> => {
      const body = {guest: client, items}
      items = []
      try {
        await clientOf(path).ask('POST /apps/{id}/tasks', {at: {id: app}, body})
      } catch {
        end() // all that is not answered is asked for again
      }
    }
    const leave = this.#workflows.connectRun(app, {
      send: item => {
        if (items.push(Buffer.from(item).toString('base64')) === 1) setImmediate(() => void posts.run(post))
      }
    })
    for await (const {answer = ''} of done)
      // if the file cannot be written, the task is taken up again later
      this.#workflows.completeFar(app, Buffer.from(answer, 'base64')).catch(() => undefined)
    leave()
  }
}

/** How many instances a run has purged; undefined: it does not have the app, or has ended. Throws a WorkflowError. */
async function purgedBy(path: string, asked: Asked<'POST /apps/{id}/tasks/purge'>): Promise<number | undefined> {
  try {
    return (await clientOf(path).ask('POST /apps/{id}/tasks/purge', asked)).count
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) throw new WorkflowError('not over', error.message)
    return undefined
  }
}
