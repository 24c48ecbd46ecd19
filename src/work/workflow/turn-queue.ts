import type {Clock} from '../../platform/clock.ts'
import type {Instance, InboxEntry} from './instance.ts'
import type {LiveInstances} from './live-instances.ts'
import {eventOf, readEvent} from './messages.ts'
import {isTerminal, STALLED} from './status.ts'
import type {Stall} from './versions.ts'
import {isSuspendedAfter} from './turn.ts'
import {TurnItem, type LiveInstance} from './work-items.ts'
import type {AppWorkers} from './workers.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** Of `maxBodySize`. */
const MAX_SHARE = 0.95
/** StalledReason */
const PAYLOAD_SIZE_EXCEEDED = 2

/** Why no worker of an app could take so much; undefined: it could. `max`: its `maxBodySize`. */
export function payloadTooLarge(bytes: number, max: number): string | undefined {
  if (bytes <= max * MAX_SHARE) return undefined
  return `Workflow payload size ${bytes} bytes exceeds 95% of max gRPC body size ${max} bytes; increase daprd --max-body-size and restart to resume`
}

export interface TurnQueueOptions {
  readonly store: WorkflowStore
  readonly clock: Clock
  readonly live: LiveInstances
  /** Says something in the log of an app's sidecar. */
  readonly warn: (app: string, text: string) => void
  /** `maxBodySize` of an app: a worker that got more would lose its stream. */
  readonly maxBytes: (app: string) => number
  readonly workersOf: (app: string) => AppWorkers
  /** Whether one that is to start stays in the file alone for now. */
  readonly staysInFile: (live: LiveInstance) => boolean
  /** Whether a worker has an earlier turn of it, to replay it. */
  readonly isReplayed: (instance: Instance) => boolean
  /** An instance is another one than in the file's last commit. */
  readonly changed: (instance: Instance) => void
  /** Terminates one that no worker can end: it has not begun, or is stalled. */
  readonly terminate: (live: LiveInstance, entry: Omit<InboxEntry, 'id'>) => void
}

/** Which instances are to have a turn, and which cannot go on as they are. All is called within a change of the file. */
export class TurnQueue {
  readonly #options: TurnQueueOptions
  /** Instances that no worker can take as it is, with their apps, until one connects. */
  readonly #held = new Map<number, string>()

  constructor(options: TurnQueueOptions) {
    this.#options = options
  }

  /** Something for an instance that is not over. */
  post(key: number, entry: Omit<InboxEntry, 'id'>): void {
    const live = this.#options.live.at(key)
    if (live === undefined || isTerminal(live.instance.status)) return
    if (entry.kind === 'terminate' && this.#needsNoWorker(live)) {
      if (live.turn !== undefined) this.#options.workersOf(live.instance.app).remove(live.turn)
      live.turn = undefined
      return this.#options.terminate(live, entry)
    }
    // once is enough: the SDK for JavaScript 3.18 never comes to an end with a second one
    if (entry.kind === 'suspend' && isSuspendedAfter(live)) return
    const id = this.#options.store.post(key, entry)
    live.inbox.push({...entry, id})
    this.want(live)
  }

  /** That it is to be terminated with all below it, and has not heard of it yet. */
  endOf(key: number): InboxEntry | undefined {
    return this.#options.live.at(key)?.inbox.find(({kind, name}) => kind === 'terminate' && name === 'recursive')
  }

  /** Its code need not be asked about its end, or cannot be: no worker has seen it and none is there, or it is stalled. */
  #needsNoWorker({mayStart, instance: {app, status, turns}}: LiveInstance): boolean {
    return !mayStart || status === STALLED || (turns === 0 && this.#options.workersOf(app).count() === 0)
  }

  /** It gets a turn if something has come for it, and it has none yet; `isRead`: there is room for it. */
  want(live: LiveInstance, isRead = false): void {
    const {instance, turn} = live
    if (!live.mayTurn || this.#held.has(instance.key) || this.#options.isReplayed(instance)) return
    const workers = this.#options.workersOf(instance.app)
    if (turn !== undefined && workers.isInHand(turn)) return
    if (!this.fits(instance, instance.app, live.turnBytes)) {
      if (turn !== undefined) workers.remove(turn)
      live.turn = undefined
      return
    }
    if (turn !== undefined || (!isRead && this.#options.staysInFile(live))) return
    live.turn = new TurnItem(live, () => this.#options.clock.date())
    this.#options.live.use(live)
    workers.add(live.turn)
  }

  /** Whether a worker can take so much; else the instance stalls (Dapr: pkg/actors/targets/workflow/orchestrator/payloadsize.go). */
  fits(instance: Instance, app: string, bytes: number): boolean {
    const description = payloadTooLarge(bytes, this.#options.maxBytes(app))
    if (description === undefined) return true
    if (instance.status === STALLED) return false
    this.#stall(instance, {reason: PAYLOAD_SIZE_EXCEEDED, description})
    return false
  }

  /** The worker that was asked cannot go on with it: the turn is undone, and waits for another worker. */
  hold(live: LiveInstance, stall: Stall): void {
    this.#held.set(live.instance.key, live.instance.app)
    this.#options.live.rest(live)
    this.#stall(live.instance, stall)
  }

  /** Whether some of an app's are held. */
  hasHeld(app: string): boolean {
    return [...this.#held.values()].includes(app)
  }

  /** A worker of an app is there, with other code perhaps: what is held is tried again. */
  retryHeld(app: string): void {
    for (const [key, of] of this.#held) {
      if (of !== app) continue
      this.#held.delete(key)
      const live = this.#options.live.at(key)
      if (live !== undefined) this.want(live, true)
    }
  }

  /** It is gone, or over. */
  release(key: number): void {
    this.#held.delete(key)
  }

  /** Something was undone: who cannot go on, and who gets a turn, is as the file says. A turn that a worker has goes on. */
  reread(): void {
    const {store, live: all, workersOf} = this.#options
    for (const key of this.#held.keys()) if (store.at(key)?.status !== STALLED) this.#held.delete(key)
    for (const live of all.inTurn) {
      const {turn, instance} = live
      const workers = workersOf(instance.app)
      if (turn === undefined || workers.isInHand(turn)) continue
      workers.remove(turn)
      live.turn = undefined
    }
  }

  #stall(instance: Instance, {reason, description}: Stall): void {
    const {clock, store, changed, warn} = this.#options
    const known = instance.stall && readEvent(instance.stall).executionStalled
    instance.status = STALLED
    if (known?.reason === reason && known.description === description) return
    instance.stall = eventOf(clock.date(), {executionStalled: {reason, description}})
    store.update(instance)
    changed(instance)
    warn(instance.app, `workflow '${instance.name}' '${instance.id}' is stalled: ${description}`)
  }
}
