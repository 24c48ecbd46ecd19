import {failureOf} from '../../../src/work/workflow/failure.ts'
import {eventOfTimer, msOf, timeOf, type Action, type Event} from '../../../src/work/workflow/messages.ts'
import {NEVER, type Op, type Program} from './program.ts'

/** What a turn comes to. */
export interface Replay {
  readonly actions: readonly Partial<Action>[]
  /** What must never be seen. */
  readonly faults: readonly string[]
  /** Names of the events that it waits for, in lower case. */
  readonly waitsFor: readonly string[]
}

/** A clock that is set back makes a timer early by so much at most. */
const EARLY_MS = 20_000
const NOTHING = new Uint8Array(0)
/** What an activity answers, and what it was asked. */
export const resultOf = (input: string): string => `done ${input}`
export const inputOf = ({serial, round}: Program, task: number): string => `${serial}/${round}/${task}`

/** What has come of a task, and its place in the history; `text`: of a failure its type. */
interface Came {
  readonly at: number
  readonly failed: boolean
  readonly text: string
}

/** The code of a workflow: what it does after these events, as an SDK would replay it. `raw`: the same as bytes. */
export class Code {
  readonly #program: Program
  readonly #events: readonly Event[]
  readonly #raw: readonly Uint8Array[]
  readonly #own = new Map<number, Event>()
  readonly #came = new Map<string, Came>()
  readonly #raised: {readonly at: number; readonly name: string; isHeard: boolean; isHeld: boolean}[] = []
  readonly #actions: Partial<Action>[] = []
  readonly #faults: string[] = []
  readonly #outcomes: string[] = []
  readonly #waitsFor: string[] = []
  readonly #now: number
  /** Timers that wait with each event, the oldest first; and the turn in which the event came of those that do not any more. */
  readonly #waiting = new Map<string, number[]>()
  readonly #ended = new Map<number, number>()
  readonly #isRerun: boolean
  /** When the latest turn that was read began, and how many have. */
  #turnBegan = 0
  #turns = 0
  #next = 0

  constructor(program: Program, events: readonly Event[], raw: readonly Uint8Array[], isRerun: boolean) {
    this.#isRerun = isRerun
    this.#program = program
    this.#events = events
    this.#raw = raw
    const started = events.findLast(({workflowStarted}) => workflowStarted !== undefined)
    this.#now = Number(started?.timestamp?.seconds ?? 0n) * 1000 + (started?.timestamp?.nanos ?? 0) / 1e6
    events.forEach((event, at) => this.#read(event, at))
  }

  #read(event: Event, at: number): void {
    const {eventId = -1, taskScheduled, timerCreated, childCreated, detachedCreated, eventSent} = event
    if ((taskScheduled ?? timerCreated ?? childCreated ?? detachedCreated ?? eventSent) !== undefined) {
      if (this.#own.has(eventId)) this.#faults.push(`the history has two steps ${eventId}`)
      this.#own.set(eventId, event)
    }
    const came = (kind: string, id: number, failed: boolean, text = ''): void => {
      if (this.#came.has(`${kind} ${id}`)) this.#faults.push(`the history has two results of ${kind} ${id}`)
      if (!this.#own.has(id)) this.#faults.push(`the history has a result of ${kind} ${id}, which was not asked for`)
      this.#came.set(`${kind} ${id}`, {at, failed, text})
    }
    const {taskCompleted, taskFailed, childCompleted, childFailed, timerFired, eventRaised} = event
    if (taskCompleted !== undefined) came('task', taskCompleted.taskScheduledId, false, taskCompleted.result?.value)
    if (taskFailed !== undefined) came('task', taskFailed.taskScheduledId, true)
    if (childCompleted !== undefined) came('child', childCompleted.taskScheduledId, false, childCompleted.result?.value)
    if (childFailed !== undefined)
      came('child', childFailed.taskScheduledId, true, failureOf(childFailed.failureDetails).type)
    if (event.workflowStarted !== undefined && event.timestamp !== undefined) {
      this.#turns++
      this.#turnBegan = Math.max(this.#turnBegan, msOf(event.timestamp))
    }
    if (timerCreated !== undefined) this.#timersOf(eventOfTimer(timerCreated)).push(eventId)
    if (timerFired !== undefined) {
      came('timer', timerFired.timerId, false)
      // one that has fired during the turn in which the event came cannot be taken back
      if (this.#turns > (this.#ended.get(timerFired.timerId) ?? Infinity) + 1)
        this.#faults.push(`timer ${timerFired.timerId} fires, though its event has come`)
      for (const ids of this.#waiting.values())
        if (ids.includes(timerFired.timerId)) ids.splice(ids.indexOf(timerFired.timerId), 1)
      const due = this.#own.get(timerFired.timerId)?.timerCreated?.fireAt
      if (due !== undefined && !timerFired.isSkipped && this.#turnBegan < msOf(due) - EARLY_MS)
        this.#faults.push(`timer ${timerFired.timerId} fires ${msOf(due) - this.#turnBegan} ms too early`)
    }
    if (eventRaised !== undefined) {
      this.#raised.push({at, name: eventRaised.name.toLowerCase(), isHeard: false, isHeld: false})
      const ended = this.#timersOf(eventRaised.name).shift()
      if (ended !== undefined) this.#ended.set(ended, this.#turns)
    }
  }

  #timersOf(event: string): number[] {
    const name = event.toLowerCase()
    let ids = this.#waiting.get(name)
    if (ids === undefined) this.#waiting.set(name, (ids = []))
    return ids
  }

  run(): Replay {
    const terminated = this.#events.find(({executionTerminated}) => executionTerminated !== undefined)
    const last = this.#events.findLast(each => (each.executionSuspended ?? each.executionResumed) !== undefined)
    if (this.#events.filter(({executionStarted}) => executionStarted !== undefined).length !== 1)
      this.#faults.push('the history has not one start')
    if (terminated !== undefined) this.#complete(5, terminated.executionTerminated?.input?.value ?? '')
    else {
      if (last?.executionSuspended !== undefined) this.#holdFrom(this.#events.indexOf(last))
      this.#runOps()
    }
    return {actions: this.#actions, faults: this.#faults, waitsFor: this.#waitsFor}
  }

  /** It is suspended from there on: what has come since waits, and what came before has its effect, as in the SDKs for JavaScript and Python. */
  #holdFrom(place: number): void {
    for (const [key, {at}] of this.#came) if (at > place) this.#came.delete(key)
    for (const raised of this.#raised) raised.isHeld = raised.at > place
  }

  #runOps(): void {
    const {ops, round, rounds, serial} = this.#program
    for (const op of ops) {
      if (op.op === 'fail') return this.#complete(3, 'failed')
      const outcome = this.#step(op)
      if (outcome === undefined) return
      this.#outcomes.push(outcome)
    }
    if (round + 1 < rounds) {
      const input = JSON.stringify({...this.#program, round: round + 1})
      const left = this.#raised.filter(({isHeard}) => !isHeard).map(({at}) => this.#raw[at] ?? NOTHING)
      this.#actions.push({
        id: this.#next,
        complete: {status: 2, result: {value: input}, carryoverEvents: left, failureDetails: NOTHING}
      })
    } else this.#complete(1, `${serial}: ${this.#outcomes.join(', ')}`)
  }

  #complete(status: number, value: string): void {
    const id = status === 5 ? 1000 : this.#next
    this.#actions.push({id, complete: {status, result: {value}, carryoverEvents: [], failureDetails: NOTHING}})
  }

  /** A step of the code: asked for if it is new. */
  #ask(
    kind: 'taskScheduled' | 'timerCreated' | 'childCreated' | 'detachedCreated' | 'eventSent',
    app: string,
    action: Partial<Action>
  ): number {
    const id = this.#next++
    const known = this.#own.get(id)
    if (known === undefined) this.#actions.push({id, router: {sourceAppID: '', targetAppID: app}, ...action})
    else if (known[kind] === undefined) this.#faults.push(`step ${id} of the history is no ${kind}`)
    return id
  }

  #timer(ms: number, name: string, event: string): number {
    return this.#ask('timerCreated', '', {
      createTimer: {
        fireAt: timeOf(ms === NEVER ? ms : this.#now + ms),
        name,
        createTimer: event === '' ? {} : undefined,
        externalEvent: event === '' ? undefined : {value: event},
        activityRetry: undefined,
        childWorkflowRetry: undefined
      }
    })
  }

  #call(app: string): number {
    const id = this.#next
    return this.#ask('taskScheduled', app, {
      scheduleTask: {
        name: 'work',
        version: undefined,
        input: {value: inputOf(this.#program, id)},
        taskExecutionId: '',
        scope: undefined
      }
    })
  }

  /** The result of an activity, which must be that of this very one; undefined: it has not come. */
  #result(id: number): Came | undefined {
    const came = this.#came.get(`task ${id}`)
    const right = resultOf(inputOf(this.#program, id))
    if (came !== undefined && !came.failed && came.text !== right)
      this.#faults.push(`activity ${id} of ${this.#program.serial} has the result '${came.text}', not '${right}'`)
    return came
  }

  /** How each of two waits for an event has ended; undefined: one has not. The first of them gets the first event. */
  #hearTwice({name, ms}: Extract<Op, {op: 'hear twice'}>): string | undefined {
    const timers = ms.map(each => this.#came.get(`timer ${this.#timer(each, '', name)}`)?.at ?? Infinity)
    const ends: (string | undefined)[] = timers.map(() => undefined)
    const expire = (before: number): void =>
      timers.forEach((at, wait) => void (at < before && (ends[wait] ??= 'unheard')))
    for (const raised of this.#raised) {
      if (raised.isHeard || raised.isHeld || raised.name !== name.toLowerCase()) continue
      expire(raised.at)
      const wait = ends.indexOf(undefined)
      if (wait < 0) break
      ends[wait] = 'heard'
      raised.isHeard = true
    }
    expire(Infinity)
    // the others end by themselves
    if (ends.some((end, wait) => end === undefined && ms[wait] === NEVER)) this.#waitsFor.push(name.toLowerCase())
    return ends.includes(undefined) ? undefined : ends.join('+')
  }

  /** How it ended; undefined: it has not. */
  #step(op: Exclude<Op, {op: 'fail'}>): string | undefined {
    const {serial, round} = this.#program
    switch (op.op) {
      case 'call': {
        const ids = Array.from({length: op.count}, () => this.#call(op.app))
        const all = ids.map(id => this.#result(id))
        return all.includes(undefined) ? undefined : all.map(each => (each?.failed ? 'failed' : 'done')).join('+')
      }
      case 'sleep':
        return this.#came.has(`timer ${this.#timer(op.ms, op.name, '')}`) ? 'slept' : undefined
      case 'race': {
        const task = this.#result(this.#call(op.app))
        const timer = this.#came.get(`timer ${this.#timer(op.ms, '', '')}`)
        if (task === undefined && timer === undefined) return undefined
        return (task?.at ?? Infinity) < (timer?.at ?? Infinity) ? 'won' : 'late'
      }
      case 'hear': {
        const timer = op.ms === 0 ? undefined : this.#came.get(`timer ${this.#timer(op.ms, '', op.name)}`)
        const raised = this.#raised.find(
          ({isHeard, isHeld, name}) => !isHeard && !isHeld && name === op.name.toLowerCase()
        )
        if (timer === undefined && raised === undefined) this.#waitsFor.push(op.name.toLowerCase())
        if (timer === undefined && raised === undefined) return undefined
        if ((timer?.at ?? Infinity) < (raised?.at ?? Infinity)) return 'unheard'
        if (raised !== undefined) raised.isHeard = true
        return 'heard'
      }
      case 'hear twice':
        return this.#hearTwice(op)
      case 'child': {
        const input = JSON.stringify({serial: `${serial}.${round}.${this.#next}`, round: 0, rounds: 1, ops: op.ops})
        const createChild = {
          // each round has one of its own
          instanceId: op.id === 'own' ? `c-${serial}.${round}.${this.#next}` : op.id,
          name: 'w',
          version: undefined,
          input: {value: input},
          scope: undefined,
          retryOf: undefined
        }
        const id = this.#ask('childCreated', op.app, {createChild})
        const came = this.#came.get(`child ${id}`)
        if (came !== undefined && !came.failed && !came.text.startsWith(`${serial}.${round}.${id}:`))
          this.#faults.push(`child ${id} of ${serial} has the result '${came.text}'`)
        if (came?.text === 'WorkflowInstanceAlreadyExists' && op.id === 'own' && !this.#isRerun)
          this.#faults.push(`child ${id} of ${serial} is refused, though no other one has its ID`)
        const timer = op.ms === 0 ? undefined : this.#came.get(`timer ${this.#timer(op.ms, '', '')}`)
        if ((timer?.at ?? Infinity) < (came?.at ?? Infinity)) return 'late'
        return came && (came.failed ? 'failed' : 'done')
      }
      case 'detach': {
        const own = `${serial}.${round}.${this.#next}`
        const createDetached = {
          instanceId: `d-${own}`,
          name: 'w',
          version: undefined,
          input: {value: JSON.stringify({serial: own, round: 0, rounds: 1, ops: op.ops})},
          scheduledStart: timeOf(this.#now + op.ms),
          parentTraceContext: undefined
        }
        this.#ask('detachedCreated', op.app, {createDetached})
        return 'detached'
      }
      case 'send': {
        const sendEvent = {instance: {instanceId: op.id, executionId: undefined}, name: op.name, data: undefined}
        this.#ask('eventSent', '', {sendEvent})
        return 'sent'
      }
    }
  }
}
