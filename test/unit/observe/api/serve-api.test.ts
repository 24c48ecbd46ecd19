import {EventEmitter} from 'node:events'
import {Readable} from 'node:stream'
import type {IncomingMessage, ServerResponse} from 'node:http'
import t from 'tap'
import type {ApiContext} from '../../../../src/observe/api/route.ts'
import {RunEvents} from '../../../../src/observe/api/events/run-events.ts'
import {serveApi} from '../../../../src/observe/api/serve-api.ts'
import {RunLog} from '../../../../src/observe/logging/run-log.ts'
import {contentOf} from '../../../../src/observe/telemetry/recorder/call-content.ts'
import {answerOf} from '../../../../src/observe/replay/compare.ts'
import {refused, ReplayRefused, type Replay} from '../../../../src/observe/replay/replayer.ts'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import {CallRecorder, type RecordedCall} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRequest} from '../../../rig/made-call.ts'

/** The response to a client that has left: `close` does not come again. */
class LeftResponse extends EventEmitter {
  readonly destroyed = true
  headersSent = false
  writeHead(): this {
    this.headersSent = true
    return this
  }
  flushHeaders(): void {
    // to no one
  }
  write(): boolean {
    return false
  }
  end(): this {
    return this
  }
}

const ask = async (context: Partial<ApiContext>, method: string, url: string, body = ''): Promise<void> => {
  const response = new LeftResponse() as unknown as ServerResponse
  const request = {method, url, headers: {}} as IncomingMessage
  await serveApi({masked: () => [], ...context} as unknown as ApiContext, request, response, {via: 'socket', body})
}

t.test('who has left while the first request loaded the code is no reader, and is not waited for', async t => {
  const context = {
    recorder: new CallRecorder(() => undefined),
    deaths: undefined,
    masked: () => [],
    faults: {active: undefined},
    work: {onWorkflow: () => undefined},
    control: {list: () => ({apps: []})}
  } as unknown as ApiContext
  const events = new RunEvents(() => context, new RunLog())
  await ask({...context, events: async () => Promise.resolve(events)}, 'GET', '/api/v1/events')
  t.equal(events.count('socket'), 0)
  let held: Promise<void> | undefined
  const waits = {holds: async (answer: Promise<void>) => (held = answer)}
  await ask({waits: async () => Promise.resolve(waits as never)}, 'POST', '/api/v1/wait', '{}')
  t.equal(await Promise.race([held?.then(() => 'over'), new Promise(setImmediate)]), 'over')
})

t.test('who has left follows neither calls nor a sidecar to the end of the run', async t => {
  let followers = 0
  const follow = (): (() => void) => {
    followers++
    return () => void followers--
  }
  const lent = {address: {}, closing: new AbortController().signal, ready: () => 1, onChange: follow}
  const control = {list: () => ({apps: []}), leaseSidecar: () => lent}
  const context = {recorder: {onEnded: follow}, masked: () => [], control} as unknown as ApiContext
  for (const url of ['/calls?follow', '/apps/shop/sidecar']) await ask(context, 'GET', `/api/v1${url}`)
  t.equal(followers, 0, 'while the code of the API was loaded')
})

t.test('calls of a list are sent again as long as their reader is there', async t => {
  const recorder = new CallRecorder(() => 100)
  for (let count = 0; count < 3; count++)
    recorder.started(aCall(), {...aRequest(), method: 'GET', path: '/', lines: ''}, 0)
  const response = new LeftResponse()
  Object.assign(response, {destroyed: false})
  let sent = 0
  const replayer = {
    tryReplay: async (call: RecordedCall) => {
      sent++
      response.emit('close')
      return Promise.resolve(refused(call, answerOf(call), new ReplayRefused(call, 'its reader has left')))
    },
    context: {report: () => undefined}
  }
  const context = {recorder, masked: () => [], replays: async () => Promise.resolve({replayer, pins: {}})}
  const request = {method: 'POST', url: '/api/v1/replays', headers: {}} as IncomingMessage
  const body = '{"calls":[1,2,3]}'
  await serveApi(context as unknown as ApiContext, request, response as unknown as ServerResponse, {
    via: 'socket',
    body
  })
  t.equal(sent, 1)
})

t.test('what is recorded meanwhile does not change the calls that are sent again', async t => {
  const sent: string[] = []
  const ask = async (url: string, body: object): Promise<void> => {
    const recorder = new CallRecorder(() => 100, 1024, 4096)
    const make = (path: string): void => {
      const call = aCall({path})
      const journal = new CallJournal(call, {...aRequest(), method: 'GET', path, lines: ''}, recorder, undefined)
      journal.begun(0)
      Object.assign(journal, {status: 503})
      journal.ended()
    }
    const flood = (): void => {
      for (let count = 0; count < 100; count++) make(`/later/${count}`)
    }
    for (const path of ['/first', '/second']) make(path)
    const replay = async (call: RecordedCall): Promise<Replay> => {
      flood()
      sent.push(contentOf(call).path)
      return Promise.resolve(refused(call, answerOf(call), new ReplayRefused(call, 'it is a test')))
    }
    const replayer = {replay, tryReplay: replay, context: {report: () => undefined}}
    const replays = async (): Promise<unknown> => {
      if (url !== '/replays') flood()
      return Promise.resolve({replayer, pins: {}})
    }
    const response = Object.assign(new LeftResponse(), {destroyed: false})
    const request = {method: 'POST', url: `/api/v1${url}`, headers: {}} as IncomingMessage
    const context = {recorder, masked: () => [], replays} as unknown as ApiContext
    await serveApi(context, request, response as unknown as ServerResponse, {via: 'socket', body: JSON.stringify(body)})
  }
  await ask('/calls/1/replay', {})
  t.same(sent.splice(0), ['/first'], 'while the code is loaded')
  await ask('/replays', {calls: [2, 1]})
  t.same(sent.splice(0), ['/second', '/first'], 'while others are sent')
})

const JOB = {app: 'shop', name: 'report', dueTime: '10h', begin: '2026-01-31T14:46:28Z', policy: {kind: 'drop'}}

/** The answer to a long list of jobs. */
const askLong = async (url: string): Promise<unknown> => {
  const taken: unknown[] = []
  const body = JSON.stringify({jobs: [{...JOB, data: {typeUrl: '', value: 'eHg='.repeat(400_000)}}]})
  const request = Object.assign(Readable.from([body.slice(0, 1_100_000), body.slice(1_100_000)]), {
    method: 'POST',
    url,
    headers: {}
  })
  const answer = Promise.withResolvers<unknown>()
  const response = Object.assign(new LeftResponse(), {end: (text: string) => answer.resolve(JSON.parse(text))})
  const jobs = {take: async (read: readonly unknown[]) => Promise.resolve(taken.push(...read))}
  const context = {masked: () => [], work: {jobs: async () => Promise.resolve(jobs)}}
  await serveApi(
    context as unknown as ApiContext,
    request as unknown as IncomingMessage,
    response as unknown as ServerResponse
  )
  return answer.promise
}

t.test('jobs of a file may be long; what is too long for another route is refused as such', async t => {
  t.match(await askLong('/api/v1/scheduled/jobs'), {jobs: 1})
  t.match(await askLong('/api/v1/faults'), {status: 413, detail: 'the body is longer than 1048576 characters'})
})

t.test('what a page asks of the run that it shows is not done by the next one', async t => {
  const begun: string[] = []
  const control = {list: () => ({run: 'second', apps: []})}
  const replays = async (): Promise<never> => Promise.reject(new Error(`${begun.push('asked')}`))
  const context = {masked: () => [], control, replays, recorder: new CallRecorder(() => 1)} as unknown as ApiContext
  for (const run of ['first', 'second']) {
    const response = Object.assign(new LeftResponse(), {destroyed: false})
    const told = new Promise<number>(resolve => {
      response.writeHead = (status => (resolve(status as number), response)) as (status?: number) => LeftResponse
    })
    const request = {method: 'DELETE', url: '/api/v1/pins', headers: {'pillion-run': run}} as unknown as IncomingMessage
    await serveApi(context, request, response as unknown as ServerResponse, {via: 'page', body: ''})
    begun.push(`${await told}`)
  }
  t.same(begun, ['412', 'asked', '500'])
})
