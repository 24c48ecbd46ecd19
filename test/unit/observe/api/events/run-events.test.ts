import {once} from 'node:events'
import {mock} from 'node:test'
import t from 'tap'
import {EventReader} from '../../../../../src/observe/api/events/event-reader.ts'
import {TYPES} from '../../../../../src/observe/api/events/event.ts'
import {RunEvents} from '../../../../../src/observe/api/events/run-events.ts'
import {troublesOf} from '../../../../../src/observe/api/troubles.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {ANY, type FaultPlan} from '../../../../../src/model/fault.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {eventContext, EventSink} from '../../../../rig/event-context.ts'
import {appOf} from '../../../../rig/listed.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {Deaths} from '../../../../../src/observe/telemetry/recorder/deaths.ts'
import {aCall, aDeath, aRequest} from '../../../../rig/made-call.ts'

t.test('a fault of ours is told to readers, and the run lives', async t => {
  const alive = setInterval(() => undefined, 1000) // its own timers keep no process alive
  t.teardown(() => clearInterval(alive))
  let isBroken = false
  const listing = {version: '', run: '', pid: 1, startedAt: 0, templateFile: '', templateName: '', apps: []}
  const context = eventContext({
    control: {
      list: () => {
        if (isBroken) throw new Error('our mistake')
        return listing
      }
    }
  })
  const events = new RunEvents(() => context, new RunLog())
  const sink = new EventSink()
  const reader = new EventReader(sink, {
    format: 'ndjson',
    types: new Set(['note']),
    app: '',
    reset: () => events.state('reset')
  })
  events.join(reader, 0)
  isBroken = true
  const told = once(sink, 'text')
  events.noticed({type: 'app-moved', app: () => appOf({})})
  t.match(await told, [/"type":"note","data":\{"code":"events-failed","text":"our mistake"\}/])
  const next = once(sink, 'text')
  events.noticed({type: 'notified', text: 'it goes on'})
  t.match(await next, [/it goes on/])
  events.leave(reader)
  reader.end()
})

t.test('who goes on at an event is told how many calls each fault has hit', async t => {
  const alive = setInterval(() => undefined, 1000) // its own timers keep no process alive
  t.teardown(() => clearInterval(alive))
  const plan: FaultPlan = {
    from: ANY,
    to: ANY,
    actor: '',
    method: '',
    path: '',
    delayMs: 0,
    jitterMs: 0,
    kind: 'status',
    status: 503,
    body: '',
    cutAfter: 0,
    rate: 1,
    seed: 1,
    times: Infinity,
    forMs: Infinity
  }
  const active = {list: () => [{number: 1, plan, matched: 2, hits: 1, leftMs: Infinity, isEnabled: true}]}
  const context = eventContext({faults: {active}})
  const events = new RunEvents(() => context, new RunLog())
  const join = (after: number): {reader: EventReader; sink: EventSink} => {
    const sink = new EventSink()
    const types = new Set(['fault'] as const)
    const reader = new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')})
    events.join(reader, after)
    return {reader, sink}
  }
  const first = join(events.mark())
  const told = once(first.sink, 'text')
  t.match(await told, [/"change":"hit".*"hits":1/])
  events.leave(first.reader) // between this connection and the next one nothing happens
  const next = join(events.mark())
  t.match(await once(next.sink, 'text'), [/"change":"hit".*"hits":1/])
  events.leave(next.reader)
})

t.test('who comes while the troubles are asked is told them, too', async t => {
  const alive = setInterval(() => undefined, 1000) // its own timers keep no process alive
  t.teardown(() => clearInterval(alive))
  const app = appOf({id: 'shop', state: 'backoff', availability: 'never', exit: 'exited with code 3', exitCode: 3})
  const recorder = new CallRecorder(() => undefined)
  const deaths = new Deaths(recorder)
  const place = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  deaths.add(
    aDeath({
      place: async () => {
        asked.resolve()
        return place.promise
      }
    })
  )
  const context = eventContext({recorder, deaths, listed: [app]})
  const events = new RunEvents(() => context, new RunLog())
  const join = (): {reader: EventReader; told: Promise<unknown[]>} => {
    const sink = new EventSink()
    const types = new Set(['troubles'] as const)
    const reader = new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')})
    events.join(reader, events.mark())
    return {reader, told: once(sink, 'text')}
  }
  const first = join()
  await asked.promise
  const second = join()
  place.resolve('')
  for (const {reader, told} of [first, second]) {
    t.match(await told, [/"type":"troubles".*"key":"exit shop"/])
    events.leave(reader)
  }
})

t.test('a reader that has missed so much that it gets the whole state gets the troubles again, too', async t => {
  const alive = setInterval(() => undefined, 1000) // its own timers keep no process alive
  t.teardown(() => clearInterval(alive))
  const app = appOf({id: 'shop', availability: 'never', state: 'idle'})
  const context = eventContext({listed: [app]})
  const events = new RunEvents(() => context, new RunLog())
  let isFull = false
  const sink = new (class extends EventSink {
    override write(text: string): boolean {
      return super.write(text) && !isFull
    }
  })()
  const types = new Set(['troubles', 'note'] as const)
  const reset = () => events.state('reset')
  const reader = new EventReader(sink, {format: 'ndjson', types, app: '', reset, maxWaiting: 100})
  const first = once(sink, 'text')
  events.join(reader, events.mark())
  t.match(await first, [/"key":"blocked shop"/])
  isFull = true
  for (let n = 0; n < 3; n++) events.noticed({type: 'notified', text: 'x'.repeat(100)})
  isFull = false
  const whole = once(sink, 'text')
  sink.emit('drain')
  t.match(await whole, [/"type":"reset"/])
  const again = once(sink, 'text')
  events.noticed({type: 'app-moved', app: () => app})
  t.match(await again, [/"key":"blocked shop"/])
  events.leave(reader)
})

const full = async (): Promise<never> => Promise.reject(new Error('too many open files'))

t.test('an exit whose log cannot be read is told, and so is all else', async t => {
  const app = appOf({id: 'shop', state: 'backoff', availability: 'never', exit: 'exited with code 3', exitCode: 3})
  const recorder = new CallRecorder(() => undefined)
  const deaths = new Deaths(recorder)
  let places = 0
  const death = deaths.add(
    aDeath({lines: full, place: async () => (++places === 1 ? full() : Promise.resolve('svc.mjs:10'))})
  )
  const context = eventContext({recorder, deaths, listed: [app]})
  const events = new RunEvents(() => context, new RunLog())
  await events.takeEarly([{at: 1, type: 'event', event: {type: 'notified', text: 'it goes on'}}])
  t.match(await troublesOf(context, new Masking()), [{key: 'exit shop'}])
  const texts: string[] = []
  const sink = new EventSink().on('text', (text: string) => texts.push(text))
  const types = new Set(TYPES)
  events.join(new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')}), 0, true)
  t.match(texts.join(''), /"type":"death".*"lines":\["… too many open files"\][^]*it goes on/)
  t.equal(await death.place(), 'svc.mjs:10', 'it is looked for again')
  t.equal(await death.place(), 'svc.mjs:10')
  t.equal(places, 2, 'and not once more')
})

t.test('the edge of a call that takes long, and of a topic, is told when it is over', async t => {
  mock.timers.enable({apis: ['setInterval']})
  t.teardown(() => mock.timers.reset())
  const recorder = new CallRecorder(() => undefined)
  const context = eventContext({recorder})
  const events = new RunEvents(() => context, new RunLog())
  const texts: string[] = []
  const sink = new EventSink().on('text', (text: string) => texts.push(text))
  const types = new Set(['edges'] as const)
  const reader = new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')})
  events.join(reader, events.mark())
  const journal = new CallJournal(aCall(), {...aRequest(), method: 'GET', path: '/', lines: ''}, recorder, undefined)
  journal.begun(performance.now())
  mock.timers.tick(2000)
  journal.ended()
  mock.timers.tick(1000)
  t.match(texts.splice(0).join(''), /"from":"shop","to":"stock","calls":1/)
  const use = {app: 'shop', block: 'pubsub', component: 'bus', operation: 'orders', totalMs: 1, failure: '', event: ''}
  recorder.used({...use, startedAt: performance.now(), traceparent: ''})
  mock.timers.tick(1000)
  t.match(texts.join(''), /"from":"shop","to":"bus\/orders","calls":1/)
  events.leave(reader)
})

t.test('a reader of one app is told when no call waits any more', async t => {
  mock.timers.enable({apis: ['setInterval']})
  t.teardown(() => mock.timers.reset())
  let waiting = 1
  const context = eventContext({apps: () => [{id: 'stock', waiting}]})
  const events = new RunEvents(() => context, new RunLog())
  const sink = new EventSink()
  const texts: string[] = []
  sink.on('text', (text: string) => texts.push(text))
  const types = new Set(['edges'] as const)
  events.join(
    new EventReader(sink, {format: 'ndjson', types, app: 'stock', reset: () => events.state('reset')}),
    events.mark()
  )
  mock.timers.tick(1000)
  t.match(texts.at(-1), /"waiting":\{"stock":1\}/)
  waiting = 0
  mock.timers.tick(1000)
  t.match(texts.at(-1), /"waiting":\{\}/)
  const told = texts.length
  mock.timers.tick(5000)
  t.equal(texts.length, told, 'once')
})

t.test('a fault tells how many calls it was asked about, also if it has hit none of them', async t => {
  mock.timers.enable({apis: ['setInterval']})
  t.teardown(() => mock.timers.reset())
  let matched = 3
  const plan = {from: ANY, to: ANY, rate: 0.01, times: Infinity} as unknown as FaultPlan
  const active = {list: () => [{number: 1, plan, matched, hits: 0, leftMs: Infinity, isEnabled: true}]}
  const context = eventContext({faults: {active}})
  const events = new RunEvents(() => context, new RunLog())
  const sink = new EventSink()
  const texts: string[] = []
  sink.on('text', (text: string) => texts.push(text))
  const types = new Set(['fault'] as const)
  const reader = new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')})
  events.join(reader, events.mark())
  mock.timers.tick(250)
  t.match(texts.at(-1), /"matched":3,"hits":0/)
  matched = 9
  mock.timers.tick(250)
  t.match(texts.at(-1), /"matched":9,"hits":0/)
  const told = texts.length
  mock.timers.tick(1000)
  t.equal(texts.length, told, 'once')
})
