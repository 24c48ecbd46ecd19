import {aborted} from '../../platform/delay.ts'
import {keep} from '../keep.ts'
import {type TurnResponse, msOf, patchesOf, readEvent, splitEvents} from './messages.ts'
import {changesOf, type WorkflowChange} from './changes.ts'
import {doneStepOf, differenceOf, endStep, type DoneStep, mismatchText, versionStall} from './versions.ts'
import type {Engine} from './engine.ts'
import {offerTurn} from './inbox.ts'
import {nameOf, type Instance} from './instance.ts'
import {CONTINUED_AS_NEW, RUNNING, statusName} from './status.ts'
import {applyAnswer} from './turn.ts'
import type {WorkItem} from './workers.ts'
import {turnMessage} from './work-items.ts'
import {WorkflowError} from './workflow-error.ts'

/** A recorded turn, and the result of the current code. */
export interface ReplayedTurn {
  /** The number of the turn, from 0. */
  readonly turn: number
  readonly turns: number
  /** When the turn was made: milliseconds since 1970. */
  readonly at: number
  /** The events that it began with, for example `activity reserve done`. */
  readonly came: readonly string[]
  /** Steps in the history, for example `activity charge`. */
  readonly did: readonly string[]
  readonly does: readonly string[]
  /** Describes the first difference; '': none. */
  readonly difference: string
}

/** A turn that a worker gets again. Meanwhile the instance has no other turn: some SDKs do not name the turn that they answer. */
class ReplayItem implements WorkItem {
  readonly kind = 'workflows'
  readonly name: string
  /** A copy of the instance: a continue-as-new during the replay would change it. */
  readonly instance: Instance
  /** The number of the turn, from 0. */
  readonly turn: number
  token = ''
  readonly parts: TurnParts
  /** The history up to this turn, copied as the instance. */
  readonly history: readonly Uint8Array[]
  /** The worker's answer; undefined: the caller has disconnected before it. */
  readonly answer = Promise.withResolvers<TurnResponse | undefined>()
  /** Whether the caller has disconnected while a worker has the turn. */
  isLeft = false
  /** Called when the other turn of the instance may have ended. */
  look: () => void = () => undefined
  readonly #engine: Pick<Engine, 'droppedTurns'>

  constructor(engine: Pick<Engine, 'droppedTurns'>, instance: Instance, history: readonly Uint8Array[], turn: number) {
    this.#engine = engine
    this.name = instance.name
    this.instance = {...instance}
    this.turn = turn
    this.parts = partsOf(history[turn])
    this.history = history.slice(0, turn + 1)
  }

  get isBehind(): boolean {
    return [...this.#engine.droppedTurns].some(each => each.isOf(this.instance))
  }

  compose(token: string): Uint8Array | undefined {
    if (!this.isLeft) return turnMessage(this.instance, {history: this.history.slice(0, -1), ...this.parts}, token)
    this.answer.resolve(undefined)
    return undefined
  }
}

/** A recorded turn, in parts. `did`: the steps of the code. */
interface TurnParts {
  readonly startedAt: number
  /** The events that the turn began with. */
  readonly came: readonly Uint8Array[]
  readonly did: readonly DoneStep[]
}

function partsOf(turn: Uint8Array | undefined): TurnParts {
  const [first, ...events] = turn === undefined ? [] : splitEvents(turn)
  const at = first && readEvent(first).timestamp
  const all = events.map(bytes => ({bytes, step: doneStepOf(readEvent(bytes))}))
  return {
    startedAt: at === undefined ? 0 : msOf(at),
    came: all.filter(({step}) => step === undefined).map(({bytes}) => bytes),
    did: all.flatMap(({step}) => step ?? [])
  }
}

interface ReplayOptions {
  readonly turn: number
  /** Aborted when the caller disconnects. */
  readonly signal: AbortSignal
  readonly flush: () => void
}

/** Sends a turn to the next worker, and compares its actions with the recorded ones. Throws a WorkflowError. */
export async function replayTurn(
  engine: Engine,
  {key, app, id}: Instance,
  {turn, signal, flush}: ReplayOptions
): Promise<ReplayedTurn> {
  const workers = engine.workersOf(app)
  const live = engine.live.at(key)
  const count = live?.history.length ?? 0
  if (live === undefined || turn >= count)
    throw new WorkflowError('not found', `workflow '${id}' has no turn ${turn}: it has had ${count}`)
  if (engine.replays.has(nameOf(live.instance)))
    throw new WorkflowError('active', `workflow '${id}' is replayed already: a worker has not answered yet`)
  const {instance, history} = live
  const item = new ReplayItem(engine, instance, history, turn)
  engine.replays.set(nameOf(instance), item)
  const resumeInstance = async (): Promise<void> => {
    await item.answer.promise
    engine.replays.delete(nameOf(instance))
    workers.remove(item)
    await keep(engine, () => {
      const now = engine.live.find(app, id)
      if (now !== undefined) offerTurn(engine, now)
    })
  }
  resumeInstance().catch(() => undefined) // the next change of the file reports the error
  const left = aborted(signal).then(() => {
    if (workers.isInHand(item)) item.isLeft = true
    else item.answer.resolve(undefined)
    return undefined
  })
  // whether a worker has the other turn of the instance; without one, asks about `item`, which no worker has yet
  const isInHand = (): boolean => workers.isInHand(engine.live.at(key)?.turn ?? item)
  const free = Promise.withResolvers<void>()
  item.look = () => void (isInHand() || free.resolve())
  if (!engine.file.isChanging) item.look()
  await Promise.race([free.promise, left])
  item.look = () => undefined
  if (!isInHand()) engine.dropTurn(engine.live.at(key) ?? live)
  if (!signal.aborted) workers.add(item)
  flush()
  const answer = await Promise.race([item.answer.promise, left])
  if (answer === undefined) throw new WorkflowError('active', `turn ${turn} of workflow '${id}' has got no answer`)
  return {...replayed(item, answer), turns: Math.max(item.instance.turns, history.length)}
}

function replayed({turn, parts, instance, history}: ReplayItem, answer: TurnResponse): Omit<ReplayedTurn, 'turns'> {
  const {app, id} = instance
  const {startedAt: at, did} = parts
  const start = {app, id, trace: undefined, isSuspended: false, startedAt: at, sentAt: 0, aheadMs: 0, inbox: []}
  const {events, again} = applyAnswer(start, answer, at)
  const does =
    again === undefined
      ? events.flatMap(bytes => doneStepOf(readEvent(bytes)) ?? [])
      : [endStep(statusName(CONTINUED_AS_NEW), again.input)]
  const before = history.slice(0, -1)
  const patches = [...new Set(before.flatMap(patchesOf))]
  const difference =
    mismatchText(answer, before) ?? versionStall(answer, patches)?.description.trim() ?? differenceOf(did, does)
  const changes = changesOf({...instance, status: RUNNING}, history)
  return {
    turn,
    at,
    came: changes.flatMap(cameText),
    did: did.map(({what}) => what),
    does: does.map(({what}) => what),
    difference
  }
}

const ENDS: ReadonlySet<string> = new Set(['begun', 'completed', 'failed', 'terminated'])

/** Names a change before the turn, as `pillion events` does; empty: the turn itself has made the change. */
function cameText({what, kind, step}: WorkflowChange): readonly string[] {
  if (ENDS.has(what)) return []
  const happened = what === 'failed-step' ? 'failed' : what
  return [[kind, step, happened].filter(text => text !== '').join(' ')]
}
