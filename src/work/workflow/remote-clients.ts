import {createHash, randomUUID} from 'node:crypto'
import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import {keep} from '../keep.ts'
import type {Engine} from './engine.ts'
import {CHILD_REQUEST, FAR_ANSWER, FAR_ITEM} from './far-messages.ts'
import {keepForRetention, payloadTooLarge} from './inbox.ts'
import type {Instance} from './instance.ts'
import {ACTIVITY_REQUEST, FAILURE_DETAILS, textOf} from './messages.ts'
import {COMPLETED, isTerminal} from './status.ts'
import {beginChild, NOT_ALLOWED} from './tasks.ts'
import type {ActivityItem} from './work-items.ts'

/** A run that has got an answer, and is there this long after, has kept it. */
const KEPT_MS = 10_000

/** Resolves once the instance has ended; undefined: it was removed. Never, if its client has disconnected before. */
type Ended = (instance: Instance, onGone: (listener: () => void) => void) => Promise<Instance | undefined>

/** The connection that takes the answers for another run. */
export interface Host {
  readonly onAnswer: (answer: Uint8Array) => void
  /** Ends the connection: the other run connects again, and asks for everything again. */
  readonly end: () => void
}

/** Another run whose workflows ask an app of this one for tasks. */
export interface RemoteClient extends Pick<Host, 'end'> {
  readonly name: string
  /** A FAR_ITEM. Throws a DecodeError. */
  readonly ask: (item: Uint8Array) => Promise<void>
  /** Disconnects the remote run. Running tasks continue; their results are discarded. */
  readonly leave: () => void
}

type Came = Partial<Pick<Parameters<typeof encode<typeof FAR_ANSWER>>[1], 'result' | 'failureDetails' | 'isFailed'>>

const failed = (failureDetails: Uint8Array): Came => ({failureDetails, isFailed: true})

/** The work that workflows of other runs ask of apps of this run. Only children are kept: the other run asks for activities again. */
export class RemoteClients {
  readonly #engine: Engine
  readonly #flush: () => void
  readonly #ended: Ended
  readonly #clients = new Map<string, RemoteClient>()
  /** Cancel what follows answers about children. */
  readonly #answered = new Set<() => void>()
  #items = 0

  constructor(engine: Engine, flush: () => void, ended: Ended) {
    this.#engine = engine
    this.#flush = flush
    this.#ended = ended
  }

  find(name: string): RemoteClient | undefined {
    return this.#clients.get(name)
  }

  /** Connects another run, which asks for tasks of an app. */
  register(app: string, {onAnswer, end}: Host): RemoteClient {
    const name = randomUUID()
    const gone = new AbortController()
    const items = new Set<ActivityItem>()
    const ask = async (bytes: Uint8Array): Promise<void> => {
      const {activityRequest, childRequest, source, completionToken} = decode(FAR_ITEM, bytes)
      const answer = (of: {readonly instanceId: string; readonly taskId: number}, came: Came): void => {
        if (!gone.signal.aborted) onAnswer(encode(FAR_ANSWER, {...of, completionToken, ...came}))
      }
      if (childRequest.length > 0) return this.#child(app, childRequest, {answer, gone: gone.signal})
      this.#activity(app, activityRequest, {source, answer, items})
    }
    const leave = (): void => {
      this.#clients.delete(name)
      gone.abort()
      for (const item of items) this.#forget(item)
    }
    const client = {name, ask, leave, end}
    this.#clients.set(name, client)
    return client
  }

  /** `items`: the unanswered items of the client. */
  #activity(
    app: string,
    request: Uint8Array,
    {source, answer, items}: Pick<Asker, 'answer'> & {readonly source: string; readonly items: Set<ActivityItem>}
  ): void {
    const engine = this.#engine
    const {name, taskId, taskExecutionId, workflowInstance} = decode(ACTIVITY_REQUEST, request)
    const id = workflowInstance?.instanceId ?? ''
    const of = {instanceId: id, taskId}
    if (!engine.mayAsk(app, {caller: source, kind: 'activities', operation: 'schedule', name}))
      return answer(of, failed(NOT_ALLOWED))
    const tooLarge = payloadTooLarge(request.length, engine.options.maxBytes(app))
    if (tooLarge !== undefined)
      return answer(of, failed(encode(FAILURE_DETAILS, {errorType: 'PayloadSizeExceeded', errorMessage: tooLarge})))
    // a row number that no instance has
    const instance = -++this.#items
    const activity = {instance, task: taskId, app, taskExecution: taskExecutionId, request, isChild: 0}
    const item = engine.activities.add(activity, {id, app: source})
    items.add(item)
    item.answered = ({result, failureDetails}) => {
      items.delete(item)
      answer(of, {result, failureDetails, isFailed: failureDetails.length > 0})
    }
    engine.workersOf(app).add(item)
    this.#flush()
  }

  async #child(app: string, request: Uint8Array, {answer, gone}: Asker): Promise<void> {
    const asked = decode(CHILD_REQUEST, request)
    const {id: instanceId = '', task: taskId = -1} = asked.parent ?? {}
    const of = {instanceId, taskId}
    // a child that could not be written at once is asked for again by the client that has connected since
    const hash = asked.isDetached ? createHash('sha256').update(request).digest('hex') : undefined
    const begun = await keep(this.#engine, () =>
      gone.aborted ? undefined : beginChild(this.#engine, app, asked, hash)
    )
    if (begun === undefined) return
    if ('failure' in begun) return answer(of, failed(begun.failure))
    const {store} = this.#engine
    if (hash !== undefined) this.#onceKept(gone, () => store.dropBegun(hash))
    if (begun.child === undefined || asked.isDetached) return answer(of, {})
    const done = new AbortController() // one client asks for many children
    const child = await this.#ended(begun.child, listener =>
      gone.addEventListener('abort', listener, {signal: done.signal})
    )
    done.abort()
    if (child === undefined || !isTerminal(child.status)) return
    const {status, output, failure} = child
    if (status === COMPLETED) answer(of, {result: textOf(output)})
    else answer(of, {...(failure && {failureDetails: failure}), isFailed: true})
    this.#onceKept(gone, () => {
      if (store.at(child.key)?.execution === child.execution) keepForRetention(this.#engine, child, true)
    })
  }

  /** Changes what is known of a child once the other run has kept the answer about it. */
  #onceKept(gone: AbortSignal, change: () => void): void {
    const stop = this.#engine.clock.after(KEPT_MS, () => {
      this.#answered.delete(stop)
      if (!gone.aborted) keep(this.#engine, change).catch(() => undefined)
    })
    this.#answered.add(stop)
  }

  close(): void {
    for (const stop of this.#answered) stop()
  }

  /** Forgets an activity; if a worker has it, its answer is still expected. */
  #forget(item: ActivityItem): void {
    item.answered = undefined
    item.isDropped = true
    this.#engine.dismiss(item)
  }
}

interface Asker {
  readonly answer: (of: {readonly instanceId: string; readonly taskId: number}, came: Came) => void
  readonly gone: AbortSignal
}
