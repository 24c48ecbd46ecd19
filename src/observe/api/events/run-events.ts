import type * as Api from '../../../model/api.generated.ts'
import {messageOf} from '../../../model/errors.ts'
import type {EarlyEvent, RunEvent} from '../../../model/events.ts'
import type {RunLog} from '../../logging/run-log.ts'
import type {Replay} from '../../replay/replayer.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {spokenStatus} from '../../../work/workflow/status.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {RunFacts} from '../run-facts.ts'
import {runView} from '../run-view.ts'
import {deathView} from '../death-view.ts'
import {RECENT_SECONDS} from '../../telemetry/recorder/edges.ts'
import {edgeViews} from '../edges.ts'
import {faultRow} from '../faults.ts'
import {replayView} from '../replay-view.ts'
import {troublesOf} from '../troubles.ts'
import {sampleCalls, linesOf, LineSamples} from './samples.ts'
import type {ApiEvent, EventType} from './event.ts'
import {EventLog} from './event-log.ts'
import type {Via, EventReader} from './event-reader.ts'

/** Time in ms within which changes of apps are reported together. */
const STATE_MS = 50
const SAMPLE_MS = 250
const EDGES_MS = 1000
/** Maximum number of edges that are sent: the busiest. */
const MAX_EDGES = 500

/** The events of a run: the latest before the first reader, and all later ones. Without readers, events are kept for readers that reconnect; samples are not. */
export class RunEvents {
  readonly #context: () => RunFacts
  readonly #runLog: RunLog
  readonly #log: EventLog
  readonly #readers = new Set<EventReader>()
  /** The latest state of each app that readers got, as JSON. */
  #apps = new Map<string, {readonly id: string; readonly json: string}>()
  #lastDeath = 0
  /** Settles when every exit seen so far is reported: the last lines of an app have to be read first. */
  #deathsTold = Promise.resolve()
  /** The troubles that readers got last, as JSON; may be empty. */
  #troubles = ''
  #isAskingTroubles = false
  /** Whether the run was asked to stop, so that ends of its apps are no troubles. */
  #isStopping = false
  /** Number of ended calls and published events that readers know; -1: none yet. */
  #counted = -1
  /** Whether readers know that there were no recent calls. */
  #areEdgesQuiet = false
  #ended: number[] = []
  /** By fault, the number of checked calls that readers know. */
  readonly #matched = new Map<number, number>()
  readonly #lines = new LineSamples()
  #looking: NodeJS.Timeout | undefined
  /** Ends the samples, which exist only while there are readers. */
  #stopSamples: (() => void) | undefined

  constructor(context: () => RunFacts, runLog: RunLog) {
    this.#context = context
    this.#runLog = runLog
    this.#log = new EventLog(Date.now(), () => runLog.next)
    this.#apps = this.#states()
    context().work.onWorkflow((workflows, instance) => this.#guard(() => this.#tellWorkflow(workflows, instance)))
  }

  /** Returns the number of readers that are connected in one way. */
  count(via: Via): number {
    return [...this.#readers].filter(reader => reader.via === via).length
  }

  /** Sends a reader all events after an id (0: the whole state), then new events. `isOnce`: only kept events, without the state. */
  join(reader: EventReader, after: number, isOnce = false): void {
    const missed = after === 0 && !isOnce ? undefined : this.#log.after(after)
    if (missed === undefined) reader.send(this.state(after === 0 ? 'hello' : 'reset'))
    else reader.sendKept(missed)
    if (isOnce) return reader.end()
    this.#readers.add(reader)
    this.#tellAgain()
    this.#stopSamples ??= this.#startSamples()
    void this.#tellTroubles()
  }

  leave(reader: EventReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    this.#stopSamples?.()
    this.#stopSamples = undefined
  }

  /** Forgets which samples readers know: a reader is new, or has missed some. */
  #tellAgain(): void {
    this.#areEdgesQuiet = false
    this.#troubles = ''
    this.#matched.clear()
  }

  /** Returns the whole state of the run, as an event that a reader can resume from. */
  state(type: 'hello' | 'reset'): ApiEvent {
    this.#tellAgain()
    const data = this.#masking.json(runView(this.#context()))
    return {id: this.#log.last, at: Date.now(), type, app: '', subject: '', data}
  }

  /** Returns an id for the current moment: later events have greater ids. */
  mark(): number {
    return this.#log.mark()
  }

  /** Returns the time of an id. Undefined if its event was dropped, or it is not from this run. */
  momentOf(id: number): ReturnType<EventLog['momentOf']> {
    return this.#log.momentOf(id)
  }

  /** Adds the events from before the first reader, with the exits among them. */
  async takeEarly(early: readonly EarlyEvent[]): Promise<void> {
    const {deaths} = this.#context()
    const masking = this.#masking
    const exits = deaths?.all().filter(({number}) => number > this.#lastDeath) ?? []
    const views = await Promise.all(exits.map(async death => ({at: death.at, death: await deathView(death, masking)})))
    this.#lastDeath = Math.max(this.#lastDeath, ...exits.map(({number}) => number))
    for (const each of [...early, ...views].toSorted((a, b) => a.at - b.at)) {
      const {at} = each
      if ('death' in each) this.#tell('death', each.death, {app: each.death.app, at})
      else if (each.type === 'event') this.#tellEvent(each.event, at)
      else this.#tell('app', {...UNKNOWN, ...each.app}, {app: each.app.id, subject: subjectOf(each.app), at})
    }
    this.#apps = this.#states()
  }

  noticed(event: RunEvent): void {
    this.#isStopping ||= event.type === 'stopping'
    this.#tellEvent(event)
    this.#looking ??= setTimeout(() => this.#guard(() => this.#look()), STATE_MS).unref()
  }

  /** Emits the API's event for an event of the run. `at`: time of a past event, in ms since 1970. */
  #tellEvent(event: RunEvent, at?: number): void {
    if (event.type === 'reloaded') {
      const {type: _type, version: _version, id, ...rest} = event
      this.#tell('reload', {app: id, ...rest}, {app: id, at})
    } else if (event.type === 'app-asleep')
      this.#tell('asleep', {app: event.app.id, name: event.name, idleMs: event.idleMs}, {app: event.app.id, at})
    else if (event.type === 'app-woken') {
      const {app, id: name, cause, tookMs} = event
      this.#tell('woken', {app, name, cause, tookMs}, {app, at})
    } else if (event.type === 'warned') this.#tell('note', {code: event.code, text: event.text}, {at})
    else if (event.type === 'fault-changed') {
      const {change, fault, text} = event
      const subject = `fault ${fault.number} ${change.replace(/^(?:en|dis)abled$/, 'switched')}`
      this.#tell('fault', {change, fault: faultRow(fault), text}, {subject, at})
    } else if (event.type === 'notified') this.#tell('note', {code: 'notification', text: event.text}, {at})
  }

  /** Emits the event of a replay, whether the call was sent or refused. */
  replayed(replay: Replay): void {
    this.#guard(() => this.#tell('replay', replayView(replay, this.#masking), {app: replay.call.edgeOf.callee}))
  }

  /** Ends the streams: readers get the last events, and `bye`. */
  async close(): Promise<void> {
    clearTimeout(this.#looking)
    this.#guard(() => this.#look())
    await this.#deathsTold
    this.#guard(() => (this.#tellEdges(), this.#sample()))
    const bye = this.#log.add({type: 'bye', app: '', subject: '', data: '{}'})
    for (const reader of this.#readers) {
      reader.send(bye)
      reader.end()
    }
    this.#readers.clear()
    this.#stopSamples?.()
  }

  #tellWorkflow(workflows: Workflows, instance: Instance): void {
    const {app, id, name, status} = instance
    for (const change of workflows.latestChanges(instance))
      this.#tell('workflow', {app, id, name, status: spokenStatus(status), ...change}, {app})
  }

  #states(): Map<string, {readonly id: string; readonly json: string}> {
    const {control} = this.#context()
    return new Map(
      control.list().apps.map(app => {
        const {recent: _recent, waitingWork: _work, waitingEvents: _events, ...state} = app
        return [subjectOf(app), {id: app.id, json: JSON.stringify(state)}]
      })
    )
  }

  /** Reports changes and ends of apps. */
  #look(): void {
    this.#looking = undefined
    const {control, deaths} = this.#context()
    const before = this.#apps
    this.#apps = this.#states()
    const {apps} = control.list()
    for (const app of apps) {
      const subject = subjectOf(app)
      if (before.get(subject)?.json !== this.#apps.get(subject)?.json) this.#tell('app', app, {app: app.id, subject})
    }
    for (const [subject, {id, json}] of before) {
      if (this.#apps.has(subject)) continue
      const last = {...(JSON.parse(json) as object), ...NO_LOAD}
      this.#tell('app', {...last, state: 'removed', isReady: false, availability: 'stopped'}, {app: id, subject})
    }
    void this.#tellTroubles()
    const news = deaths?.all().filter(({number}) => number > this.#lastDeath) ?? []
    for (const death of news) {
      this.#lastDeath = death.number
      this.#deathsTold = this.#deathsTold
        .then(async () => this.#tell('death', await deathView(death, this.#masking), {app: death.app}))
        .catch((error: unknown) => this.#failed(error))
    }
  }

  #startSamples(): () => void {
    const {recorder} = this.#context()
    const stopCalls = recorder.onEnded(number => this.#ended.push(number))
    const stopLines = this.#runLog.tap(batch => this.#lines.add(batch))
    const samples = setInterval(() => this.#guard(() => this.#sample()), SAMPLE_MS).unref()
    const edges = setInterval(() => {
      this.#guard(() => this.#look())
      this.#guard(() => this.#tellEdges())
      void this.#tellTroubles()
    }, EDGES_MS).unref()
    return () => {
      stopCalls()
      stopLines()
      clearInterval(samples)
      clearInterval(edges)
      this.#ended = []
      this.#lines.take()
    }
  }

  /** Sends the numbers of calls that each fault has checked and hit, a few times a second. */
  #tellHits(): void {
    for (const fault of this.#context().faults.active?.list() ?? []) {
      if (fault.matched === (this.#matched.get(fault.number) ?? 0)) continue
      this.#matched.set(fault.number, fault.matched)
      this.#pass([...this.#readers], 'fault', {change: 'hit', fault: faultRow(fault), text: ''}, `hits ${fault.number}`)
    }
  }

  #sample(): void {
    this.#tellHits()
    const {recorder} = this.#context()
    const ended = this.#ended
    this.#ended = []
    const lines = this.#lines.isEmpty ? undefined : this.#lines.take()
    const masking = this.#masking
    for (const app of new Set([...this.#readers].map(reader => reader.app))) {
      const readers = [...this.#readers].filter(reader => reader.app === app)
      if (ended.length > 0 && readers.some(reader => reader.wants('calls'))) {
        const sample = sampleCalls(recorder, ended, {app, masking})
        if (sample.calls.length > 0 || app === '') this.#pass(readers, 'calls', sample)
      }
      if (lines === undefined) continue
      const sample = linesOf(lines, app)
      if (sample.lines.length + sample.notShown > 0) this.#pass(readers, 'lines', sample)
    }
  }

  #tellEdges(): void {
    const {recorder, apps} = this.#context()
    const waiting = Object.create(null) as Record<string, number> // an id may be `constructor`
    for (const app of apps()) if (app.waiting > 0) waiting[app.id] = (waiting[app.id] ?? 0) + app.waiting
    const isWaiting = Object.keys(waiting).length > 0
    const counted = [...recorder.edges.all, ...recorder.publishers.all].reduce((sum, {calls}) => sum + calls, 0)
    if (counted === this.#counted && this.#areEdgesQuiet && !isWaiting) return
    this.#counted = counted
    const edges = edgeViews(recorder).slice(0, MAX_EDGES)
    this.#areEdgesQuiet = !isWaiting && edges.every(({recent}) => recent.calls === 0)
    for (const reader of this.#readers) {
      const {app} = reader
      const wanted = app === '' ? edges : edges.filter(({from, to}) => from === app || to === app)
      this.#pass([reader], 'edges', {edges: wanted, waiting}, 'edges')
    }
  }

  /** Sends changed troubles: once a second, and soon after an event. */
  async #tellTroubles(): Promise<void> {
    const readers = (): readonly EventReader[] => [...this.#readers].filter(reader => reader.wants('troubles'))
    if (readers().length === 0 || this.#isAskingTroubles || this.#isStopping) return
    this.#isAskingTroubles = true
    try {
      const troubles = await troublesOf(this.#context(), this.#masking)
      const text = JSON.stringify(troubles)
      if (text === this.#troubles) return
      this.#troubles = text
      // includes readers that connected while `troublesOf` was pending
      for (const reader of readers()) {
        const own = troubles.filter(({app}) => ['', app].includes(reader.app))
        this.#pass([reader], 'troubles', {troubles: own}, 'troubles')
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isAskingTroubles = false
    }
  }

  /** Runs work. Reports a bug in it to the readers, and lets the run continue. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#tell('note', {code: 'events-failed', text: messageOf(error)})
  }

  #tell(
    type: EventType,
    value: unknown,
    {app = '', subject = '', at}: Partial<Pick<ApiEvent, 'app' | 'subject'>> & {readonly at?: number | undefined} = {}
  ): void {
    const event = this.#log.add({type, app, subject, data: this.#masking.json(value)}, at)
    for (const reader of this.#readers) reader.send(event)
  }

  /** Sends a sample. `subject`: marks a state, of which a slow reader gets the latest. */
  #pass(readers: readonly EventReader[], type: EventType, value: unknown, subject = ''): void {
    const event: ApiEvent = {id: 0, at: 0, type, app: '', subject, data: this.#masking.json(value)}
    for (const reader of readers) reader.send(event)
  }

  /** Masks secrets; an edit of the template changes their names. */
  get #masking(): Masking {
    return new Masking(this.#context().masked())
  }
}

const subjectOf = ({id, version, instance}: Pick<Api.App, 'id' | 'version' | 'instance'>): string =>
  `${id}@${version}.${instance}`

const NO_CALLS: Api.Recent = {seconds: RECENT_SECONDS, calls: 0, failed: 0, p95Ms: 0}
const NO_LOAD = {recent: NO_CALLS, waitingWork: 0, waitingEvents: 0}

/** Facts of the whole run, which a past state lacks. */
const UNKNOWN = {isMain: true, circuitBreakers: [], ...NO_LOAD}
