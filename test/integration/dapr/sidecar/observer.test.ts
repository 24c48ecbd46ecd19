import http2 from 'node:http2'
import {once} from 'node:events'
import t from 'tap'
import type {Call, CallObserver, CallRecord, HeadText, OwnResponse, SentRequest} from '../../../../src/model/call.ts'
import {chunked, connect, request} from './caller.ts'
import {echoApp, onBothPaths, openTestSidecar} from './rig.ts'

/** Writes down what it sees of each call. */
class Witness implements CallObserver {
  readonly seen: string[] = []
  readonly bodies = new Map<Call, {request: string; response: string}>()
  readonly records: CallRecord[] = []

  readonly heads: string[] = []

  started({caller, callee, method, path}: Call, {text = '', size = 0}: SentRequest): void {
    this.heads.push(text.slice(0, size))
    this.seen.push(`started ${caller} → ${callee} ${method} ${path}`)
  }

  admitted(call: Call): void {
    this.seen.push('admitted')
    this.bodies.set(call, {request: '', response: ''})
  }

  held(_: Call, reason: string): void {
    this.seen.push(`held ${reason}`)
  }

  responded(call: Call, {text, size}: HeadText, body = ''): void {
    this.heads.push(text.slice(0, size))
    this.text(call, 'response', body)
  }

  replied(_: Call, {head, body}: OwnResponse): void {
    this.heads.push(head + body)
  }

  text(call: Call, direction: 'request' | 'response', text: string): void {
    const body = this.bodies.get(call)
    if (body !== undefined) body[direction] += text
  }

  bytes(call: Call, direction: 'request' | 'response', buffer: Buffer, from: number, to: number): void {
    const body = this.bodies.get(call)
    if (body !== undefined) body[direction] += buffer.toString('latin1', from, to)
  }

  ended(record: CallRecord): void {
    this.seen.push(`ended ${record.status}`)
    this.records.push(record)
  }
}

onBothPaths('an observer sees the start, the admission, the bytes both ways and the end of each call', async t => {
  const app = await echoApp(t)
  const observer = new Witness()
  const {port} = await openTestSidecar(t, {appPort: app.port, observer})
  const caller = await connect(t, port)
  const large = 'z'.repeat(200_000)
  for (const message of [
    request({method: 'GET', path: '/none'}),
    request({path: '/small', body: 'hello'}),
    request({path: '/large', body: large}),
    chunked(['abc', 'def'], 'x-answer-chunks: 1\r\n')
  ]) {
    caller.send(message)
    await caller.answer()
  }
  while (observer.records.length < 4) await new Promise(setImmediate)
  t.same(
    [...observer.bodies.values()].map(body => [body.request, body.response]),
    [
      ['', ''],
      ['hello', 'hello'],
      [large, large],
      ['abcdef', 'abcdef']
    ]
  )
  t.same(observer.seen.slice(0, 6), [
    'started a → b GET /none',
    'admitted',
    'ended 200',
    'started a → b POST /small',
    'admitted',
    'ended 200'
  ])
  t.match(observer.records, [{requestBytes: 0}, {requestBytes: 5}, {requestBytes: 200_000}, {responseBytes: 6}])
})

t.test('over HTTP/2, and where nobody could be reached', async t => {
  const app = await echoApp(t)
  const observer = new Witness()
  const {port} = await openTestSidecar(t, {appPort: app.port, observer})
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  for (const callee of ['b', 'nobody']) {
    const stream = session.request({':method': 'POST', ':path': '/x', 'dapr-app-id': callee})
    stream.end('body')
    stream.resume()
    await once(stream, 'close')
  }
  while (observer.records.length < 2) await new Promise(setImmediate)
  t.same(observer.seen, ['started a → b POST /x', 'admitted', 'ended 200', 'started a → nobody POST /x', 'ended 500'])
  t.match(observer.records.at(-1), {attempts: 0, admittedAt: 0, failure: /couldn't find service: nobody/})
})
