import type net from 'node:net'
import type {Test} from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {connect, overHttp2, request, type Answer} from './caller.ts'
import {data, END_STREAM, frame, goAway, headers, onStream, reset} from './frames.ts'
import {openTestSidecar, rawApp, type TestSidecar} from './rig.ts'

/** What an app writes on a stream, and what it then does with the connection. */
export interface Way {
  readonly text: (stream: number) => string
  readonly after?: (socket: net.Socket) => void
}

export const head = (stream: number, fields: Readonly<Record<string, string>> = {}): string =>
  headers(stream, {':status': '200', ...fields}, 0)

/** Trailers that node refuses, as the length is false. */
const refused = (id: number): string =>
  head(id, {'content-length': '9'}) + data(id, 'abc') + headers(id, {'x-trailer': '1'})

export const end = (socket: net.Socket): void => void socket.end()

/** Ways in which an app breaks off its answer with one of these codes. */
export const brokenWith = (codes: readonly number[]): Readonly<Record<string, Way>> =>
  Object.fromEntries(
    codes.flatMap(code => [
      [`resets with ${code} after the head`, {text: (id: number) => head(id) + reset(id, code)}],
      [`resets with ${code} within the body`, {text: (id: number) => head(id) + data(id, 'abc') + reset(id, code)}],
      [
        `resets with ${code} within its length`,
        {text: (id: number) => head(id, {'content-length': '9'}) + data(id, 'abc') + reset(id, code)}
      ],
      [
        `says GOAWAY ${code} and leaves`,
        {text: (id: number) => head(id) + data(id, 'abc') + goAway(id, code), after: end}
      ]
    ])
  )

/** The others. */
export const BROKEN: Readonly<Record<string, Way>> = {
  'leaves after the head': {text: id => head(id), after: end},
  'leaves within the body': {text: id => head(id) + data(id, 'abc'), after: end},
  'sends a broken frame': {text: id => head(id) + data(id, 'abc') + frame(0, {payload: 'abc'})},
  'sends what is no frame': {text: id => head(id) + data(id, 'abc') + '\xff'.repeat(40)},
  'sends less than its length': {text: id => head(id, {'content-length': '9'}) + data(id, 'abc', END_STREAM)},
  'sends more than its length': {text: id => head(id, {'content-length': '2'}) + data(id, 'abc', END_STREAM)},
  'sends less than its length, and trailers': {
    text: id =>
      headers(id, {':status': '103', link: '</a>'}, 0) +
      head(id, {'content-length': '9'}) +
      data(id, 'abc') +
      headers(id, {'x-trailer': '1'})
  },
  'sends less than its length, trailers, a reset': {text: id => refused(id) + reset(id, 0)},
  'sends less than its length, trailers, GOAWAY 0': {text: id => refused(id) + goAway(id, 0)},
  'sends less than its length, trailers, GOAWAY 1': {text: id => refused(id) + goAway(id, 1)},
  'sends trailers that end nothing': {text: id => head(id) + data(id, 'abc') + headers(id, {'x-trailer': '1'}, 0)}
}

/** The sidecar of an app that answers like this. */
export const opened = async (t: Test, {text, after}: Way): Promise<TestSidecar> => {
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      socket.write(text(stream), 'latin1')
      after?.(socket)
    })
  )
  return openTestSidecar(t, {appPort, dial: http2Dial})
}

/** The connection was closed within the answer, or before one began a failure was told. */
export const isBrokenOff = (answer: Answer | undefined): boolean => answer === undefined || answer.status === 500

/** A caller of HTTP/1 sees each of these ends. */
export async function isSeen(t: Test, ways: Readonly<Record<string, Way>>): Promise<void> {
  for (const [what, way] of Object.entries(ways)) {
    const {port, underWay} = await opened(t, way)
    const caller = await connect(t, port)
    caller.send(request({method: 'GET'}))
    const answer = await caller.answer()
    t.ok(isBrokenOff(answer), `${what}: ${JSON.stringify(answer)}`)
    t.equal(underWay(), 0, what)
  }
}

/** A caller of HTTP/2 does. */
export async function isSeenOverHttp2(t: Test, ways: Readonly<Record<string, Way>>): Promise<void> {
  for (const [what, way] of Object.entries(ways)) {
    const {port, underWay} = await opened(t, way)
    const {status, rst} = await overHttp2(t, port)
    t.ok(rst !== 0 || status === 500, `${what}: ${JSON.stringify({status, rst})}`)
    t.equal(underWay(), 0, what)
  }
}

/** What may follow trailers that are refused. */
export const BEHIND_TRAILERS = [
  ['nothing', ''],
  ['GOAWAY 0', goAway(1, 0)],
  ['GOAWAY 1', goAway(1, 1)]
] as const

/** Node frees what a connection held with the garbage of later ones. */
export async function refuseTrailers(t: Test, ending: string, rounds: number): Promise<void> {
  const {port, underWay} = await opened(t, {text: id => refused(id) + ending})
  const call = async (): Promise<void> => {
    const caller = await connect(t, port)
    caller.send(request({method: 'GET'}))
    await caller.answer()
    caller.socket.destroy()
  }
  for (let round = 0; round < rounds; round++) await Promise.all(Array.from({length: 32}, call))
  t.equal(underWay(), 0)
}
