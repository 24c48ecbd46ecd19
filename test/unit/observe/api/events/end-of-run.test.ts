import {mock} from 'node:test'
import {setImmediate as turn} from 'node:timers/promises'
import t from 'tap'
import {EventReader} from '../../../../../src/observe/api/events/event-reader.ts'
import {TYPES} from '../../../../../src/observe/api/events/event.ts'
import {RunEvents} from '../../../../../src/observe/api/events/run-events.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths} from '../../../../../src/observe/telemetry/recorder/deaths.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {eventContext, EventSink} from '../../../../rig/event-context.ts'
import {appOf} from '../../../../rig/listed.ts'
import {aCall, aDeath, aRequest} from '../../../../rig/made-call.ts'

t.test('an end whose lines are still being read is told before bye', async t => {
  const recorder = new CallRecorder(() => undefined)
  const deaths = new Deaths(recorder)
  const listing = {version: '', run: '', pid: 1, startedAt: 0, templateFile: '', templateName: '', apps: []}
  const context = eventContext({recorder, deaths, control: {list: () => listing}})
  const events = new RunEvents(() => context, new RunLog())
  const lines = Promise.withResolvers<readonly string[]>()
  const sink = new EventSink()
  const texts: string[] = []
  sink.on('text', (text: string) => texts.push(text))
  events.join(
    new EventReader(sink, {format: 'ndjson', types: new Set(TYPES), app: '', reset: () => events.state('reset')}),
    0
  )
  deaths.add(aDeath({lines: async () => lines.promise}))
  const closed = events.close()
  lines.resolve(['the last words'])
  await closed
  const types = texts
    .flatMap(text => text.split('\n').filter(Boolean))
    .map(line => (JSON.parse(line) as {type: string}).type)
    .filter(type => !['troubles', 'edges'].includes(type))
  t.same(types, ['hello', 'death', 'bye'])
})

t.test('calls and lines of the last moment are told before bye', async t => {
  mock.timers.enable({apis: ['setInterval']})
  t.teardown(() => mock.timers.reset())
  const recorder = new CallRecorder(() => undefined)
  const context = eventContext({recorder})
  const log = new RunLog()
  const events = new RunEvents(() => context, log)
  const texts: string[] = []
  const sink = new EventSink().on('text', (text: string) => texts.push(text))
  const types = new Set(['calls', 'edges', 'lines'] as const)
  events.join(
    new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')}),
    events.mark()
  )
  log.writer('shop').write('stdout', 'the last words\n', 1, 0)
  const request = {...aRequest(), method: 'GET', path: '/', lines: ''}
  const journal = new CallJournal(aCall(), request, recorder, undefined)
  journal.begun(performance.now())
  journal.ended()
  await events.close()
  const told = texts.map(text => (JSON.parse(text) as {type: string}).type)
  t.same(told.toSorted(), ['bye', 'calls', 'edges', 'lines'])
  t.equal(told.at(-1), 'bye')
  t.match(texts.join(''), /the last words/)
})

t.test('that apps end with the run is no trouble', async t => {
  mock.timers.enable({apis: ['setTimeout', 'setInterval']})
  t.teardown(() => mock.timers.reset())
  const apps = [appOf({id: 'shop', state: 'running', isReady: true, availability: 'ready'})]
  const context = eventContext({listed: apps})
  const events = new RunEvents(() => context, new RunLog())
  const texts: string[] = []
  const sink = new EventSink().on('text', (text: string) => texts.push(text))
  const types = new Set(['app', 'troubles'] as const)
  events.join(new EventReader(sink, {format: 'ndjson', types, app: '', reset: () => events.state('reset')}), 0)
  await turn()
  events.noticed({type: 'stopping'})
  apps[0] = appOf({id: 'shop', state: 'exited', availability: 'never', exitCode: 143, exit: 'was ended by SIGTERM'})
  mock.timers.tick(1000)
  await turn()
  await events.close()
  const told = texts.map(text => JSON.parse(text) as {type: string; data: unknown})
  t.same(
    told.map(({type}) => type),
    ['hello', 'troubles', 'app', 'bye']
  )
  t.same(told[1]?.data, {troubles: []}, 'those of before')
})
