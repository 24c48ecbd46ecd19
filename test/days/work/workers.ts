import {decode, DecodeError, encode} from '../../../src/proxy/net/grpc/message-codec.ts'
import {
  ACTIVITY_REQUEST,
  FAILURE_DETAILS,
  readEvent,
  type Event,
  type TURN_ANSWER
} from '../../../src/work/workflow/messages.ts'
import type {Message} from '../../../src/proxy/net/grpc/message-codec.ts'
import type {Instance} from '../../../src/work/workflow/instance.ts'
import {isTerminal} from '../../../src/work/workflow/status.ts'
import type {Workflows} from '../../../src/work/workflow/workflows.ts'
import {Code, resultOf} from './code.ts'
import type {Program} from './program.ts'

export const WORK_ITEM = {
  turn: [
    1,
    {
      message: {
        instanceId: [1, 'string'],
        execution: [2, {message: {value: [1, 'string']}}],
        past: [3, 'chunks'],
        fresh: [4, 'chunks']
      }
    }
  ],
  activity: [2, {message: ACTIVITY_REQUEST}],
  token: [10, 'string']
} as const

const NOTHING = new Uint8Array(0)

/** `failed`: its activity has; `broken`: what it says cannot be read. */
export type How = 'done' | 'failed' | 'broken'

const FAILURES = {
  done: NOTHING,
  failed: encode(FAILURE_DETAILS, {errorType: 'E', errorMessage: 'no'}),
  broken: Uint8Array.of(0x0a, 0x7f)
}

/** The worker hears that its answer cannot be read. */
async function heard(how: How, answer: Promise<void>): Promise<void> {
  await answer.catch((error: unknown) => {
    if (how !== 'broken' || !(error instanceof DecodeError)) throw error
  })
}

/** Something that a worker was asked for. */
export interface Held {
  readonly worker: Worker
  readonly kind: 'turn' | 'activity'
  /** Of its instance, or of this very activity; each execution has its own. */
  readonly key: string
  readonly token: string
  /** Answers, and settles when that is kept. `app`: as whose worker. */
  readonly answer: (workflows: Workflows, app: string, how?: How) => Promise<void>
  /** The execution that it is of, and how many turns that had before. */
  readonly execution: string
  readonly turns: number
  /** It was made before. */
  readonly isReplay: boolean
  /** An answer was sent. */
  isAnswered: boolean
  /** How many of its answers are not kept yet. */
  pending: number
}

/** A stream of a worker. */
export interface Worker {
  readonly app: string
  readonly home: string
  readonly sendsTokens: boolean
  /** So much it takes at a time. */
  readonly limit: number
  isConnected: boolean
  leave: () => void
}

/** What was seen of the execution of a workflow. */
interface Seen {
  readonly app: string
  past: readonly Uint8Array[]
  /** Tasks whose results were acknowledged. */
  readonly acknowledged: Set<number>
}

const turnsIn = (past: readonly Uint8Array[]): number =>
  past.filter(event => readEvent(event).workflowStarted !== undefined).length

/** Whether a turn is one that was made before. */
const isPast = (
  {execution, past}: Pick<Message<(typeof WORK_ITEM)['turn'][1]['message']>, 'execution' | 'past'>,
  now: Instance | undefined
): boolean => now?.execution !== execution?.value || turnsIn(past) < (now?.turns ?? 0)

/** A child that begins once more is another one. */
const suspensionKey = (name: string, {serial}: Program, execution: string): string =>
  `${name} ${serial.includes('.') ? execution : serial}`

/** What workers get, and whether that may be so. */
export class Watch {
  readonly faults: string[] = []
  /** What workers, connected or not, have not dropped. */
  readonly held = new Set<Held>()
  readonly #executions = new Map<string, Seen>()
  /** The latest dispatch of each activity. */
  readonly #latest = new Map<string, Held>()
  readonly #kept = new Set<string>()
  /** Events that were acknowledged, each with the execution that it was for, by starts. */
  readonly #told = new Map<string, {readonly event: number; readonly execution: string}[]>()
  /** Executions that have ended, or were removed by force: what came for them is of no use any more. */
  readonly #over = new Set<string>()
  readonly #heard = new Map<string, Set<number>>()
  /** The execution of each round of each start. */
  readonly #rounds = new Map<string, string>()
  /** Suspensions and their ends. */
  readonly #suspended = new Map<string, {readonly order: number; readonly isSuspended: boolean | undefined}[]>()
  /** IDs of detached workflows, and of all that were seen. */
  readonly #wanted = new Set<string>()
  readonly #seen = new Set<string>()
  /** What each instance (`app id`) waits for after its latest turn. */
  readonly waits = new Map<string, readonly string[]>()

  fault(text: string): void {
    if (this.faults.length < 5) this.faults.push(text)
  }

  /** An event has been acknowledged. */
  told({app, id, input = '', execution}: Instance, event: number): void {
    const start = `${app} ${id} ${(JSON.parse(input) as Program).serial}`
    const all = this.#told.get(start)
    if (all === undefined) this.#told.set(start, [{event, execution}])
    else all.push({event, execution})
  }

  /** That an instance is suspended, or is not any more, was acknowledged (undefined: perhaps). `order`: among events. */
  suspended(instance: Instance, order: number, isSuspended: boolean | undefined): void {
    const {id, input = '', app, execution} = instance
    const key = suspensionKey(`${app} ${id}`, JSON.parse(input) as Program, execution)
    const all = this.#suspended.get(key)
    if (all === undefined) this.#suspended.set(key, [{order, isSuspended}])
    else all.push({order, isSuspended})
  }

  over({execution}: Instance): void {
    this.#over.add(execution)
  }

  /** An instance is as it is kept now. */
  saw(instance: Instance): void {
    this.#seen.add(instance.id)
    if (isTerminal(instance.status)) this.over(instance)
  }

  /** Events of a history: what it has begun detached must be seen some time. */
  #readDetached(events: readonly Event[]): void {
    for (const {detachedCreated} of events)
      if (detachedCreated !== undefined) this.#wanted.add(detachedCreated.instanceId)
  }

  /** At the end, with the histories of all that are left. */
  checkDetached(histories: readonly (readonly Event[])[]): void {
    histories.forEach(events => this.#readDetached(events))
    for (const id of this.#wanted) if (!this.#seen.has(id)) this.fault(`the detached ${id} never begins`)
  }

  /** `find`: an instance as it is now. */
  receive(worker: Worker, bytes: Uint8Array, find: (id: string) => Instance | undefined): void {
    const {turn, activity, token} = decode(WORK_ITEM, bytes)
    if (!worker.isConnected) this.fault(`a worker of ${worker.app} that has left gets work`)
    if (turn !== undefined) this.#turn(worker, turn, {token, isReplay: isPast(turn, find(turn.instanceId))})
    if (activity !== undefined) this.#activity(worker, activity, token)
  }

  #activity(worker: Worker, request: Message<typeof ACTIVITY_REQUEST>, token: string): void {
    const {taskId, workflowInstance, input} = request
    const id = workflowInstance?.instanceId ?? ''
    const execution = workflowInstance?.executionId?.value ?? ''
    const key = `${worker.app} ${id}/${taskId} ${execution}`
    const before = this.#latest.get(key)
    if (this.#kept.has(key)) this.fault(`the activity ${key} runs again, though its result was acknowledged`)
    else if (before?.worker.isConnected === true)
      this.fault(`the activity ${key} runs twice: its worker is still there`)
    const held: Held = {
      worker,
      kind: 'activity',
      key,
      token,
      execution,
      turns: 0,
      isReplay: false,
      isAnswered: false,
      pending: 0,
      answer: async (workflows, app, how = 'done') => {
        const isOwn = app === worker.app
        const isFirst = this.#latest.get(key) === held && !held.isAnswered && isOwn
        held.isAnswered ||= isOwn
        await heard(
          how,
          workflows.completeActivity(app, {
            instanceId: id,
            taskId,
            result: {value: resultOf(input?.value ?? '')},
            failureDetails: FAILURES[how],
            completionToken: worker.sendsTokens ? token : ''
          })
        )
        if (isOwn) this.held.delete(held)
        if (!isFirst) return
        this.#kept.add(key)
        this.#executions.get(execution)?.acknowledged.add(taskId)
      }
    }
    this.#latest.set(key, held)
    this.held.add(held)
  }

  #turn(
    worker: Worker,
    {
      instanceId: id,
      execution: {value: execution} = {value: ''},
      past,
      fresh
    }: Message<(typeof WORK_ITEM)['turn'][1]['message']>,
    {token, isReplay}: {readonly token: string; readonly isReplay: boolean}
  ): void {
    const {app} = worker
    const key = `${app} ${id} ${execution}`
    for (const each of isReplay ? [] : this.held)
      if (each.kind === 'turn' && !each.isReplay && each.key === key && each.worker.isConnected && !each.isAnswered)
        this.fault(`workflow ${app} ${id} has two turns at a time`)
    if (!isReplay) this.#checkHistory(execution, app, id, past)
    const raw = [...past, ...fresh]
    const events = raw.map(readEvent)
    const started = events.find(({executionStarted}) => executionStarted !== undefined)?.executionStarted
    const program = started?.input === undefined ? undefined : (JSON.parse(started.input.value) as Program)
    if (program === undefined) return this.fault(`workflow ${app} ${id} has a turn without a start`)
    this.#readDetached(events)
    if (!isReplay)
      this.#checkRound(program, app, id, execution, started?.parentInstance?.workflowInstance?.executionId?.value)
    // a suspension or a termination has a turn of its own: results that arrived after it come later
    const asked = this.#suspended.get(suspensionKey(`${app} ${id}`, program, execution)) ?? []
    const isEnding = events.some(({executionTerminated}) => executionTerminated !== undefined)
    if (!isReplay && asked.length === 0 && !isEnding) this.#checkResults(execution, `${app} ${id}`, events)
    if (!isReplay) this.#checkEvents(`${app} ${id} ${program.serial}`, `${app} ${id}`, events)
    if (!id.startsWith('r-')) this.#checkSuspended(`${app} ${id}`, program, execution, events)
    const {actions, faults, waitsFor} = new Code(program, events, raw, id.startsWith('r-')).run()
    for (const fault of faults) this.fault(`workflow ${app} ${id}: ${fault}`)
    if (!isReplay) this.waits.set(`${app} ${id}`, waitsFor)
    const held: Held = {
      worker,
      kind: 'turn',
      key,
      token,
      execution,
      turns: turnsIn(past),
      isReplay,
      isAnswered: false,
      pending: 0,
      answer: async (workflows, as, how = 'done') => {
        held.isAnswered ||= as === app
        held.pending++
        const answered = workflows.completeTurn(as, {
          instanceId: id,
          actions: (how === 'broken' ? [{id: 7}] : actions) as Message<typeof TURN_ANSWER>['actions'],
          customStatus: undefined,
          completionToken: worker.sendsTokens ? token : '',
          version: undefined
        })
        await heard(how, answered).finally(() => held.pending--)
        if (as === app) this.held.delete(held)
      }
    }
    this.held.add(held)
  }

  /** A round is run once. */
  #checkRound({serial, round}: Program, app: string, id: string, execution: string, parent = ''): void {
    if (serial.includes('.') && parent === '') return // detached, perhaps once more by a rerun
    const key = `${app} ${id} ${serial} ${round} ${parent}`
    const known = this.#rounds.get(key) ?? execution
    this.#rounds.set(key, execution)
    if (known !== execution) this.fault(`workflow ${app} ${id} is run a second time`)
  }

  /** It begins as it was. */
  #checkHistory(execution: string, app: string, id: string, past: readonly Uint8Array[]): void {
    const seen = this.#executions.get(execution)
    if (seen === undefined) return void this.#executions.set(execution, {app, past, acknowledged: new Set()})
    if (seen.past.some((event, at) => past[at] === undefined || Buffer.compare(event, past[at]) !== 0))
      this.fault(`the history of ${app} ${id} is another one than it was`)
    seen.past = past
  }

  #checkResults(execution: string, name: string, events: readonly Event[]): void {
    for (const task of this.#executions.get(execution)?.acknowledged ?? [])
      if (!events.some(each => (each.taskCompleted ?? each.taskFailed)?.taskScheduledId === task))
        this.fault(`the result of activity ${task} of ${name} was acknowledged, and is lost`)
  }

  /** At each event it is suspended, or not, as it was asked for last before that. */
  #checkSuspended(name: string, program: Program, execution: string, events: readonly Event[]): void {
    const asked = this.#suspended.get(suspensionKey(name, program, execution)) ?? []
    const told = this.#told.get(`${name} ${program.serial}`) ?? []
    let isSuspended = false
    for (const {executionSuspended, executionResumed, eventRaised} of events) {
      if ((executionSuspended ?? executionResumed) !== undefined) isSuspended = executionSuspended !== undefined
      const event = Number(eventRaised?.input?.value)
      if (!told.some(each => each.event === event && each.execution === execution)) continue
      const before = asked.filter(({order}) => order < event).toSorted((a, b) => a.order - b.order)
      const last = before.at(-1) ?? {isSuspended: false}
      if (last.isSuspended !== undefined && last.isSuspended !== isSuspended)
        this.fault(`${name} is ${isSuspended ? '' : 'not '}suspended at the event ${event}`)
    }
  }

  /** Acknowledged events come, once and in their order. */
  #checkEvents(start: string, name: string, events: readonly Event[]): void {
    const now = events.flatMap(({eventRaised}) =>
      eventRaised?.input === undefined ? [] : [Number(eventRaised.input.value)]
    )
    if (new Set(now).size < now.length) this.fault(`an event of ${name} comes twice`)
    if (now.some((event, at) => event < (now[at - 1] ?? 0)))
      this.fault(`events of ${name} come in another order: ${now.join(' ')}`)
    let heard = this.#heard.get(start)
    if (heard === undefined) this.#heard.set(start, (heard = new Set()))
    for (const event of now) heard.add(event)
    const last = Math.max(...heard)
    for (const {event, execution} of this.#told.get(start) ?? [])
      if (event < last && !heard.has(event) && !this.#over.has(execution))
        this.fault(`the event ${event} for ${name} was acknowledged, and is lost`)
  }
}
