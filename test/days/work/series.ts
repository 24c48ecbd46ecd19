import type {Job} from '../../../src/work/job/job.ts'
import type {JobOutcome} from '../../../src/work/job/jobs.ts'
import type {ActorAnswer, ActorHost, ActorRequest} from '../../../src/work/actor/actor-host.ts'

/** Something that fires: a job, or a reminder, as it was set once. */
export interface Planned {
  /** Its data: no two are the same. */
  readonly serial: number
  /** Of the job or reminder. */
  readonly name: string
  /** How often it fires; Infinity: without end. */
  readonly repeats: number
  /** It ends some time, whatever is left of it. */
  readonly hasEnd: boolean
  /** How often a firing that fails is tried again, before it is given up. */
  readonly retries: number
  /** Firings that are done, or given up. */
  fired: number
  /** Tries of the one that is due. */
  failed: number
  /** Deliveries that were asked for by hand, or that a crash may have made twice. */
  extra: number
  /** It is not delivered, but as often as that was asked for by hand. */
  isPaused: boolean
  runs: number
  /** Some delivery was made. */
  isSeen: boolean
  /** `over`: it was set again or deleted, or has been refused; `unsure`: a run has ended while that was asked for. */
  state: 'asked' | 'kept' | 'over' | 'unsure'
}

/** How something is set. */
export interface Plan extends Pick<Planned, 'repeats' | 'retries'> {
  readonly hasEnd?: boolean
}

/** A delivery that an app has and has not answered. */
export interface Delivery {
  readonly name: string
  /** Of what it is about; 0: a call. */
  readonly serial: number
  /** The app or instance that has it. */
  readonly at: string
  readonly answer: (kind: 'done' | 'failed') => void
  readonly lose: () => void
}

/** What apps get of jobs and reminders, and whether that may be so. */
export class SeriesWatch {
  readonly #fault: (text: string) => void
  readonly open = new Set<Delivery>()
  readonly planned = new Map<number, Planned>()
  /** How often what an app was given was refused at the end, by serials. */
  readonly #refused = new Map<number, number>()
  /** Apps that take jobs. */
  readonly ready = new Set<string>()

  constructor(fault: (text: string) => void) {
    this.#fault = fault
  }

  /** A delivery of each, or of those of a name, may be made once more. */
  allowOneMore(name?: string): void {
    for (const each of name === undefined ? this.planned.values() : this.named(name)) each.extra++
  }

  /** Those of a name. */
  named(name: string): readonly Planned[] {
    return [...this.planned.values()].filter(each => each.name === name)
  }

  pause(name: string, isPaused: boolean): void {
    for (const each of this.named(name)) each.isPaused = isPaused && each.state === 'kept'
  }

  plan(serial: number, name: string, {repeats, retries, hasEnd = false}: Plan): Planned {
    const planned: Planned = {
      serial,
      name,
      repeats,
      retries,
      hasEnd,
      fired: 0,
      failed: 0,
      extra: 0,
      isPaused: false,
      runs: 0,
      isSeen: false,
      state: 'asked'
    }
    this.planned.set(serial, planned)
    return planned
  }

  /** What was acknowledged stands among these names with its serial, or has fired. */
  checkKept(listed: ReadonlyMap<string, number>): void {
    for (const {serial, name, state, repeats, isSeen, hasEnd} of this.planned.values())
      if (state === 'kept' && !hasEnd && listed.get(name) !== serial && (repeats === Infinity || !isSeen))
        this.#fault(`${name} was acknowledged, and is lost`)
  }

  deliver = async (job: Job): Promise<JobOutcome> => {
    if (!this.ready.has(job.app)) return {kind: 'undeliverable', answer: 'not there'}
    return new Promise(resolve => {
      const serial = Number(Buffer.from(job.data?.value ?? []).toString())
      this.#add(
        {
          name: `job ${job.app} ${job.name}`,
          serial,
          at: job.app,
          answer: kind => {
            this.#answered(serial, kind)
            resolve({kind, answer: kind})
          },
          lose: () => resolve({kind: 'undeliverable', answer: 'it has left'})
        },
        serial
      )
    })
  }

  #add(delivery: Delivery, serial: number): void {
    for (const each of this.open)
      if (each.name === delivery.name) this.#fault(`${each.name} is delivered twice at a time`)
    this.#see(delivery.name, serial)
    this.open.add(delivery)
  }

  #see(name: string, serial: number): void {
    const planned = this.planned.get(serial)
    if (planned === undefined) return
    planned.isSeen = true
    if (planned.isPaused && planned.runs-- <= 0) this.#fault(`${name} fires, though it is paused`)
    if (planned.state === 'over') this.#fault(`${name} fires, as it was set before the last time, or refused`)
  }

  /** At the end some fail once more than they are tried again by default, and others are done. */
  answerAtEnd({serial}: Delivery): 'done' | 'failed' {
    const refused = this.#refused.get(serial) ?? 0
    this.#refused.set(serial, refused + 1)
    return serial % 4 === 1 && refused < 5 && this.planned.get(serial)?.retries !== Infinity ? 'failed' : 'done'
  }

  #answered(serial: number, kind: 'done' | 'failed'): void {
    const planned = this.planned.get(serial)
    if (planned === undefined || (kind === 'failed' && planned.failed++ < planned.retries)) return
    planned.failed = 0
    planned.fired++
    if (planned.fired > planned.repeats + planned.extra)
      this.#fault(`what was to fire ${planned.repeats} times has fired ${planned.fired} times`)
  }

  #checkFree(actor: string): void {
    for (const each of this.open) if (each.name.endsWith(actor)) this.#fault(`${actor} has two turns at a time`)
  }

  /** An actor is let go: as long as a turn. */
  async deactivation(at: string, actor: string, signal?: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      this.#checkFree(actor)
      const end = (isSuccess: boolean): void => {
        this.open.delete(delivery)
        resolve(isSuccess)
      }
      const delivery: Delivery = {
        name: `deactivation ${actor}`,
        serial: 0,
        at,
        answer: kind => end(kind === 'done'),
        lose: () => end(false)
      }
      signal?.addEventListener('abort', delivery.lose)
      this.open.add(delivery)
    })
  }

  /** One turn of an actor. */
  turn(at: string, {type, id, work, onStop}: ActorRequest): Promise<ActorAnswer> {
    return new Promise(resolve => {
      this.#checkFree(`${type}/${id}`)
      const serial = work.kind === 'reminder' ? Number(JSON.parse(work.data ?? '0')) : 0
      const name = `${work.kind} ${work.kind === 'method' ? '' : work.name} ${type}/${id}`
      const lose = (): void => {
        this.open.delete(delivery)
        resolve({kind: 'lost', why: 'gone', wasSent: true})
      }
      const delivery: Delivery = {
        name,
        serial,
        at,
        answer: kind => {
          this.#answered(serial, kind)
          resolve(turnAnswer(kind))
        },
        lose
      }
      onStop(lose)
      if (work.kind === 'reminder') this.#see(name, serial)
      this.open.add(delivery)
    })
  }
}

const turnAnswer = (kind: 'done' | 'failed'): ActorAnswer =>
  kind === 'done'
    ? {kind: 'done', lines: '', body: Buffer.alloc(0), isError: false, isCancelled: false}
    : {kind: 'failed', status: 500, text: 'no'}

/** An instance of an app that hosts actors. */
export class WalkHost implements ActorHost {
  readonly app: string
  readonly instance: string
  state: ActorHost['state'] = 'open'
  reason = ''
  isBusy = false
  holdMs = 10_000
  readonly #watch: SeriesWatch
  readonly #isAlive: () => boolean

  /** `isAlive`: of the run that calls it. */
  constructor(app: string, instance: string, watch: SeriesWatch, isAlive: () => boolean) {
    this.app = app
    this.instance = instance
    this.#watch = watch
    this.#isAlive = isAlive
  }

  async send(request: ActorRequest): Promise<ActorAnswer> {
    return this.#isAlive() ? this.#watch.turn(this.instance, request) : new Promise(() => undefined)
  }

  async deactivate(type: string, id: string, signal?: AbortSignal): Promise<boolean> {
    return this.#isAlive()
      ? this.#watch.deactivation(this.instance, `${type}/${id}`, signal)
      : new Promise(() => undefined)
  }
}
