/** A server that stands for the sidecar of an app: it records what comes, and answers what the test says. */
import http, {type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {CallJournal} from '../../../../src/proxy/net/call-journal.ts'
import type {Call} from '../../../../src/model/call.ts'
import {rawHead} from '../../../../src/proxy/net/http1/raw-head.ts'
import type {ReplayContext, Replay} from '../../../../src/observe/replay/replayer.ts'
import {Replayer} from '../../../../src/observe/replay/replayer.ts'
import {CallRecorder, type RecordedCall} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths} from '../../../../src/observe/telemetry/recorder/deaths.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRequest} from '../../../rig/made-call.ts'

interface Answered {
  readonly status?: number
  readonly body?: string
  /** Its media type; left out: JSON. */
  readonly type?: string
  /** The body goes on after this. */
  readonly isEndless?: boolean
  /** The connection is cut in place of an answer. */
  readonly isCut?: boolean
  /** Its caller turns out to be an app that is not recorded. */
  readonly isDropped?: boolean
}

export type Answer = (request: IncomingMessage, body: string) => Answered | Promise<Answered>

export interface FakeSidecar {
  readonly recorder: CallRecorder
  readonly deaths: Deaths
  readonly replayer: Replayer
  /** Heads of the requests that came, each as it was sent. */
  readonly heads: readonly string[]
  /** What was reported. */
  readonly reported: readonly Replay[]
  /** Records a call that was made before, with this head, body and answer. */
  readonly made: (head: string, body?: string, answer?: string, type?: string) => RecordedCall
}

export async function openSidecar(
  test: {teardown(close: () => void): void},
  answer: Answer,
  context: Partial<ReplayContext> = {}
): Promise<FakeSidecar> {
  const recorder = new CallRecorder(app => (app === 'quiet' ? -1 : 100_000))
  const deaths = new Deaths(recorder)
  const heads: string[] = []
  const reported: Replay[] = []

  const begin = (head: string, body: string): Call => {
    const [method = '', path = ''] = head.split(' ')
    const call = aCall({method, path})
    recorder.started(call, {...aRequest(), method, path, lines: '', text: head, size: head.length}, performance.now())
    recorder.admitted(call, {pid: 1, protocol: 'HTTP/1.1'}, 0)
    recorder.text(call, 'request', body)
    return call
  }
  const end = (call: Call, status: number, body: string, type = 'application/json'): void => {
    const response = `HTTP/1.1 ${status} X\r\ncontent-type: ${type}\r\n\r\n`
    if (status > 0) recorder.responded(call, {text: response, size: response.length})
    recorder.text(call, 'response', body)
    const now = performance.now()
    const request = {...aRequest(), method: call.method, path: call.path, lines: ''}
    const journal = new CallJournal(call, request, undefined, undefined)
    const record = {
      status,
      attempts: 1,
      startedAt: now,
      admittedAt: now,
      connectedAt: now,
      firstByteAt: now,
      endedAt: now,
      responseBytes: body.length,
      failure: status === 0 ? 'the callee has left' : ''
    }
    recorder.ended(Object.assign(journal, record))
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const piece of request.setEncoding('latin1')) body += piece as string
    const head = rawHead(request)
    heads.push(head)
    const call = begin(head, body)
    const {
      status = 200,
      body: text = '{}',
      type = 'application/json',
      isCut = false,
      isEndless = false,
      isDropped = false
    } = await answer(request, body)
    if (isDropped) recorder.attributed(Object.assign(call, {caller: 'quiet'}))
    if (isEndless) {
      response.on('close', () => end(call, status, text, type)).writeHead(status, {'content-type': type})
      return void response.write(text)
    }
    end(call, isCut ? 0 : status, isCut ? '' : text)
    if (isCut) response.destroy()
    else response.writeHead(status, {'content-type': 'application/json'}).end(text)
  }
  const server = http.createServer((request, response) => {
    if (request.url?.startsWith('/refused') === true) return void response.writeHead(401).end('no')
    void serve(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const replayer = new Replayer({
    recorder,
    deaths: () => deaths,
    placeOf: () => ({host: '127.0.0.1', port}),
    deliver: async () => Promise.reject(new Error('nothing is delivered here')),
    whyUnavailable: () => '',
    mayReplay: () => true,
    masking: () => new Masking(),
    report: replay => reported.push(replay),
    ...context
  })
  return {
    recorder,
    deaths,
    replayer,
    heads,
    reported,
    made: (head, body = '', text = '{"ok":true}', type = 'application/json') => {
      const call = begin(head, body)
      end(call, 200, text, type)
      const recorded = recorder.call(call.number ?? 0)
      if (recorded === undefined) throw new Error('it is not recorded')
      return recorded
    }
  }
}
