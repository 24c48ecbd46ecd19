import {createHash} from 'node:crypto'
import {messageOf} from '../../../model/errors.ts'
import type {Exit} from '../../../model/app-state.ts'
import type {CallInFlight} from '../../../model/exit-text.ts'
import {Once} from '../../../model/once.ts'
import type {HeldWork} from '../../../work/workflow/held-work.ts'
import {sizeOfPieces} from './byte-tape.ts'
import {contentOf, copyOfCall, methodOf} from './call-content.ts'
import {FLAG} from './call-lines.ts'
import type {CallRecorder, LineOfCall, RecordedCall} from './call-recorder.ts'

/** A process that has ended by itself, and the facts around its end. */
export interface Ended {
  readonly app: string
  /** Version of a Daeploy service; '0.0.0' for apps. */
  readonly version: string
  /** The name for people: with its number if it is not the first instance. */
  readonly name: string
  /** Pid of its process, if known. */
  readonly pid?: number | undefined
  readonly exit: Exit
  /** Output line with the reason; may be empty. */
  readonly reason: string
  /** ms since 1970. */
  readonly at: number
  readonly livedMs: number
  /** The files whose change started the process; empty for any other start. */
  readonly files: readonly string[]
  /** The calls that were in flight at the end, and for how long. */
  readonly inside: readonly {readonly number: number; readonly forMs: number}[]
  /** Requests of Pillion to the process in flight, which are not recorded as calls. */
  readonly own?: readonly CallInFlight[]
  /** The activities and workflow turns that the process was executing for its workflow worker. */
  readonly work: readonly HeldWork[]
  /** The last lines of the app before its end. */
  readonly lines: () => Promise<readonly string[]>
  /** Returns the failed line of code: `svc.mjs:10`, from the app's folder; empty if unknown. */
  readonly place: () => Promise<string>
  /** Returns advice for the user. Missing or empty without any. */
  readonly advice?: () => Promise<string>
}

/** Equal calls that were inside an app when it ended. */
interface InsideCall {
  /** The oldest of these calls. */
  readonly call: RecordedCall
  /** How long the oldest had been in flight. */
  readonly forMs: number
  readonly count: number
  /** The number of earlier ends at which the same request was in flight. */
  readonly times: number
}

/** Work that a workflow worker was executing when its process ended. */
interface InsideWork extends HeldWork {
  /** The number of earlier ends at which the worker was executing the same work. */
  readonly times: number
}

interface EqualCalls extends Omit<InsideCall, 'times'> {
  /** The common part of equal calls (`fingerprint`). */
  readonly request: string
}

/** An exit and its facts. */
export interface Death extends Omit<Ended, 'inside' | 'work'> {
  /** Number of the end, from 1. */
  readonly number: number
  /**
   * Possible causes, the likeliest first: requests in flight at earlier ends too, then requests unlike those that were answered just
   * before, then the latest: the process has survived an older request for some time.
   */
  readonly inside: readonly InsideCall[]
  /** Work items, those that were executing at earlier ends too first. */
  readonly work: readonly InsideWork[]
  /** The last calls that the process had answered, the latest first. */
  readonly finished: readonly RecordedCall[]
  /** How many earlier ends of the app were searched for the same requests and work. */
  readonly earlier: number
}

const MAX_OF_APP = 20
const FINISHED = 5
/** How many earlier ends are searched for the same request. */
const COMPARED = 5
/** Limit of bytes of requests and responses; the oldest exits lose theirs. */
const MAX_BYTES = 2 * 1024 * 1024

/** The ends of processes that were not requested, with copies of the calls around them. */
export class Deaths {
  readonly #recorder: CallRecorder
  #all: Death[] = []
  /** Fingerprints of the requests that were in flight at an end, by the number of that end. */
  readonly #requests = new Map<number, ReadonlySet<string>>()
  #count = 0

  constructor(recorder: CallRecorder) {
    this.#recorder = recorder
  }

  /** Returns exits, oldest first; `app`: only those of this app. */
  all(app?: string): readonly Death[] {
    return app === undefined ? this.#all : this.#all.filter(death => death.app === app)
  }

  /** Returns the death of this number, if it is kept. */
  get(number: number): Death | undefined {
    return this.#all.find(death => death.number === number)
  }

  /** Counts in how many of the app's last five ends the same request was in flight. `after`: only ends with a higher number. */
  timesOf(app: string, call: RecordedCall, after = 0): number {
    const ends = this.all(app).slice(-COMPARED)
    return this.#timesIn(
      ends.filter(({number}) => number > after),
      fingerprint(call)
    )
  }

  #timesIn(ends: readonly Death[], request: string): number {
    return ends.filter(({number}) => this.#requests.get(number)?.has(request) === true).length
  }

  /** Keeps the facts of an exit. */
  add(ended: Ended): Death {
    const earlier = this.all(ended.app).slice(-COMPARED)
    const finished = this.#finished(ended)
    const groups = this.#grouped(ended.inside)
    const death: Death = {
      ...ended,
      ...readable(ended),
      number: ++this.#count,
      inside: this.#likeliestFirst(groups, earlier, new Set(finished.map(fingerprint))),
      work: ended.work
        .map(each => ({...each, times: earlier.filter(({work}) => work.some(other => isSame(each, other))).length}))
        .toSorted((a, b) => b.times - a.times),
      finished,
      earlier: earlier.length
    }
    this.#requests.set(death.number, new Set(groups.map(({request}) => request)))
    this.#all.push(death)
    this.#forgetOld(ended.app)
    return death
  }

  /** Sorts possible causes: first requests of earlier ends, then requests without a fresh answer, then the latest. */
  #likeliestFirst(
    groups: readonly EqualCalls[],
    earlier: readonly Death[],
    answered: ReadonlySet<string>
  ): readonly InsideCall[] {
    return groups
      .map(group => ({...group, times: this.#timesIn(earlier, group.request), isAnswered: answered.has(group.request)}))
      .toSorted((a, b) => b.times - a.times || Number(a.isAnswered) - Number(b.isAnswered) || a.forMs - b.forMs)
      .map(({call, forMs, count, times}) => ({call, forMs, count, times}))
  }

  /** Groups equal requests of one caller. */
  #grouped(inside: Ended['inside']): readonly EqualCalls[] {
    const groups = new Map<string, EqualCalls>()
    for (const {number, forMs} of inside) {
      const call = this.#copy(number)
      if (call === undefined) continue
      const request = fingerprint(call)
      const key = `${call.edgeOf.caller} ${request}`
      const known = groups.get(key)
      const oldest = known === undefined || forMs > known.forMs ? {call, forMs} : known
      groups.set(key, {call: oldest.call, forMs: oldest.forMs, count: (known?.count ?? 0) + 1, request})
    }
    return [...groups.values()]
  }

  #copy(number: number): RecordedCall | undefined {
    const call = this.#recorder.call(number)
    return call && copyOfCall(call)
  }

  #finished(ended: Ended): readonly RecordedCall[] {
    const inside = new Set(ended.inside.map(({number}) => number))
    const found: RecordedCall[] = []
    for (const number of this.#recorder.numbers()) {
      const line = this.#recorder.line(number)
      if (line === undefined || inside.has(number) || !hasAnswered(ended, line)) continue
      const call = this.#copy(number)
      if (call !== undefined) found.push(call)
      if (found.length === FINISHED) break
    }
    return found
  }

  #forgetOld(app: string): void {
    const [oldest] = this.all(app)
    if (oldest !== undefined && this.all(app).length > MAX_OF_APP) {
      this.#all = this.#all.filter(death => death !== oldest)
      this.#requests.delete(oldest.number)
    }
    let left = MAX_BYTES
    const kept = (call: RecordedCall): RecordedCall => {
      const size = sizeOfPieces(call.pieces)
      if (size > left) return {...call, pieces: []}
      left -= size
      return call
    }
    // an exit with more bytes than fit keeps those of its likeliest causes
    const fitted = (death: Death): Death => ({
      ...death,
      inside: death.inside.map(each => ({...each, call: kept(each.call)})),
      finished: death.finished.map(kept)
    })
    this.#all = this.#all.toReversed().map(fitted).toReversed()
  }
}

/** Whether the process that ended has answered a call. Calls to a shadow name its version. */
const hasAnswered = ({app, version, pid = 0}: Ended, {edgeOf: {callee}, flags, pid: by}: LineOfCall): boolean =>
  (callee === app || callee === `${app}@${version}`) &&
  (flags & (FLAG.open | FLAG.ours | FLAG.own)) === 0 &&
  (pid * by === 0 || pid === by)

/** Wraps the readers of lines and place: an unreadable log gives an error line and an empty place, and the next call of `place` reads again. */
function readable({lines, place}: Ended): Pick<Ended, 'lines' | 'place'> {
  const read = new Once<string>()
  return {
    lines: async () => lines().catch((error: unknown) => [`… ${messageOf(error)}`]),
    place: async () => read.do(place).catch(() => '')
  }
}

const isSame = (a: HeldWork, b: HeldWork): boolean =>
  a.kind === b.kind && a.name === b.name && a.app === b.app && a.id === b.id

/** Returns a key for a request: equal verb, path and body count as the same request. */
function fingerprint(call: RecordedCall): string {
  const content = contentOf(call)
  const {path, request} = content
  const body = createHash('sha1').update(request.body).digest('hex')
  return `${methodOf(call, () => content)} ${path.replace(/\?.*$/s, '')} ${body}`
}
