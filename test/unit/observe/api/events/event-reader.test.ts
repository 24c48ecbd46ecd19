import {EventEmitter, once} from 'node:events'
import t from 'tap'
import type {ApiEvent} from '../../../../../src/observe/api/events/event.ts'
import {EventReader, type EventSink} from '../../../../../src/observe/api/events/event-reader.ts'

/** A reader's connection that takes nothing until it is told to. */
class Sink extends EventEmitter implements EventSink {
  texts: string[] = []
  isFull = false
  isDestroyed = false
  write(text: string): boolean {
    this.texts.push(text)
    return !this.isFull
  }
  end(): void {
    this.emit('close')
  }
  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
  /** Takes all there is. */
  drain(): void {
    this.isFull = false
    this.emit('drain')
  }
  get told(): readonly {id?: number; type: string; data: unknown}[] {
    return this.texts.map(text => JSON.parse(text) as {type: string; data: unknown})
  }
}

const TYPES = new Set(['app', 'edges', 'calls', 'lines', 'death', 'note'])
const reset = (): ApiEvent => ({id: 99, at: 0, type: 'reset', app: '', subject: '', data: '{"whole":true}'})
const news = (id: number, type: ApiEvent['type'], {subject = '', size = 0, app = ''} = {}): ApiEvent => ({
  id,
  at: 0,
  type,
  app,
  subject,
  data: JSON.stringify({n: id, filler: 'x'.repeat(size)})
})

t.test('a slow reader loses samples, which are counted, and gets the latest news of each app', async t => {
  const sink = new Sink()
  const reader = new EventReader(sink, {format: 'ndjson', types: TYPES, app: '', reset, maxWaiting: 1000})
  sink.isFull = true
  reader.send(news(1, 'note'))
  for (let i = 0; i < 3; i++) reader.send(news(0, 'edges', {subject: 'edges'}))
  for (let i = 0; i < 50; i++) reader.send(news(0, 'calls', {size: 100}))
  reader.send(news(0, 'lines', {size: 100}))
  reader.send(news(2, 'app', {subject: 'shop'}))
  reader.send(news(3, 'app', {subject: 'stock'}))
  reader.send(news(4, 'app', {subject: 'shop'}))
  reader.send(news(5, 'death'))
  t.equal(sink.texts.length, 1, 'nothing is written while it takes nothing')
  sink.drain()
  const [, dropped, ...rest] = sink.told
  t.match(dropped, {type: 'dropped', data: {calls: Number}})
  const {calls} = (dropped ?? {data: {}}).data as {calls: number}
  t.equal(calls + rest.filter(({type}) => type === 'calls').length, 50, 'each is sent or counted')
  t.same(
    rest.filter(({type}) => type !== 'calls' && type !== 'lines').map(({id, type}) => id ?? type),
    ['edges', 3, 4, 5],
    'of a state the latest'
  )
  reader.end()
})

t.test('one who is slower still gets the whole state instead, and every end of an app', async t => {
  const sink = new Sink()
  const reader = new EventReader(sink, {format: 'ndjson', types: TYPES, app: '', reset, maxWaiting: 1000})
  sink.isFull = true
  reader.send(news(1, 'note'))
  for (let i = 0; i < 7; i++) reader.send(news(0, 'calls'))
  for (let id = 2; id < 40; id++) reader.send(news(id, id % 10 === 0 ? 'death' : 'note', {size: 60}))
  sink.drain()
  const [, first, dropped, ...rest] = sink.told
  t.match(first, {id: 99, type: 'reset', data: {whole: true}})
  t.match(dropped, {type: 'dropped', data: {calls: 7}}, 'the state has no samples: they are counted as ever')
  t.same(
    rest.filter(({type}) => type === 'death').map(({id}) => id),
    [10, 20, 30]
  )
  reader.end()
})

t.test('one who takes nothing is cut; one who does is not', async t => {
  const alive = setInterval(() => undefined, 1000) // its own timers keep no process alive
  t.teardown(() => clearInterval(alive))
  const deaf = new Sink()
  const reader = new EventReader(deaf, {format: 'sse', types: TYPES, app: '', reset, cutMs: 1})
  deaf.isFull = true
  const closed = once(deaf, 'close')
  reader.send(news(1, 'note'))
  await closed
  t.ok(deaf.isDestroyed)

  const slow = new Sink()
  const second = new EventReader(slow, {format: 'sse', types: TYPES, app: '', reset, cutMs: 1})
  slow.isFull = true
  second.send(news(1, 'note'))
  slow.drain()
  const other = new Sink()
  other.isFull = true
  const last = once(other, 'close')
  new EventReader(other, {format: 'sse', types: TYPES, app: '', reset, cutMs: 1}).send(news(1, 'note'))
  await last // a timer of the same length that began later is over
  t.notOk(slow.isDestroyed)
  second.end()
})

t.test('a reader gets what it asked for', async t => {
  const sink = new Sink()
  const reader = new EventReader(sink, {format: 'sse', types: new Set(['app']), app: 'shop', reset})
  reader.send(news(1, 'note'))
  reader.send(news(2, 'app', {app: 'stock'}))
  reader.send(news(3, 'app', {app: 'shop'}))
  reader.send(news(4, 'bye'))
  t.match(sink.texts, [/^id: 3\nevent: app\n/, /^id: 4\nevent: bye\n/])
  t.equal(sink.texts.length, 2)
  reader.end()
})

t.test('a slow reader gets all that a run has kept, and what waits for it when the run ends', async t => {
  const sink = new Sink()
  const reader = new EventReader(sink, {format: 'ndjson', types: TYPES, app: '', reset, maxWaiting: 1000})
  sink.isFull = true
  reader.sendKept(Array.from({length: 50}, (_, n) => news(n + 1, 'note', {size: 100})))
  reader.send(news(51, 'death'))
  reader.send(news(52, 'bye'))
  reader.end()
  const ids = sink.texts.flatMap(text => text.trimEnd().split('\n')).map(line => (JSON.parse(line) as {id: number}).id)
  t.same(
    ids,
    Array.from({length: 52}, (_, n) => n + 1)
  )
  const written = sink.texts.length
  reader.send(news(53, 'note'))
  sink.drain()
  t.equal(sink.texts.length, written, 'nothing is written to a connection that has ended')
})
