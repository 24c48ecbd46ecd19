import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {connect, type Socket} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {block, bytesOf, END_HEADERS, HEADERS, PREFACE, RST_STREAM, SETTINGS, uint32} from '../fuzz/http2-frames.ts'
import type {Underway} from './bad-input.ts'
import {inPieces} from './one-byte.ts'
import type {Program} from './program.ts'
import type {Rig, TemplateApp} from './rig.ts'

/** Somebody who wants to take a run's memory, time or connections away from others. */
export interface Attack {
  readonly name: string
  /** Apps that it needs besides `odd` (see `oddApp`). */
  readonly apps: readonly TemplateApp[]
  /** Begins at the sidecar of this port. */
  readonly begin: (port: number, rig: Rig, run: Program) => Promise<Underway>
  /** More memory of its own that a run may need for this, in MB. */
  readonly megabytes: number
}

/** Connections of who attacks with HTTP/2. */
const CONNECTIONS = 8
/** Streams that are sent in one piece. */
const BATCH = 100

/** An app of `test/fixtures/apps/odd.mjs` never answers this. */
const NEVER = block([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/v1.0/invoke/odd/method/never'],
  [':authority', 'localhost']
])

/** A call of gRPC, for which a message would follow. */
const UNFINISHED = block([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/dapr.proto.runtime.v1.Dapr/SaveState'],
  [':authority', 'localhost'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers']
])

/** What the gRPC port refuses by its head. */
const REFUSED = block([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/C'],
  [':authority', 'localhost'],
  ['content-type', 'text/plain']
])

const headers = (stream: number, payload: Buffer): Buffer =>
  bytesOf({type: HEADERS, flags: END_HEADERS, stream, payload})
const reset = (stream: number): Buffer => bytesOf({type: RST_STREAM, stream, payload: uint32(8)})

/** Somebody who sends the same on one connection after the other: where one is cut, the next begins. */
class Attacker {
  readonly #port: number
  readonly #pieces: readonly Buffer[]
  #socket: Socket | undefined
  #sent = 0

  constructor(port: number, pieces: readonly Buffer[]) {
    this.#port = port
    this.#pieces = pieces
  }

  /** One more piece, if there is one; settles when the other side has taken it, or has cut the connection. */
  async goOn(): Promise<void> {
    const socket = (this.#socket ??= await this.#open())
    const piece = this.#pieces[this.#sent++]
    if (piece === undefined) await pause(20)
    else
      await new Promise<void>(resolve => {
        socket.once('close', resolve).write(piece, () => {
          socket.off('close', resolve)
          resolve()
        })
      })
    if (socket.destroyed) this.#socket = undefined
  }

  async end(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || socket.closed) return
    socket.destroy()
    await once(socket, 'close')
  }

  async #open(): Promise<Socket> {
    this.#sent = 0
    const socket = connect({port: this.#port, host: '127.0.0.1'})
    socket.on('error', () => undefined).resume()
    await once(socket, 'connect').catch(() => undefined)
    return socket
  }
}

/** Eight connections that send these pieces, and begin again where they are cut. */
async function beginFrames(port: number, pieces: readonly Buffer[]): Promise<Underway> {
  const attackers = Array.from({length: CONNECTIONS}, () => new Attacker(port, pieces))
  const goOn = async (): Promise<unknown> => Promise.all(attackers.map(async attacker => attacker.goOn()))
  await goOn()
  return {goOn, end: async () => Promise.all(attackers.map(async attacker => attacker.end()))}
}

/** A greeting, and so many streams of these frames. */
function streams(count: number, frames: (stream: number) => readonly Buffer[]): readonly Buffer[] {
  const pieces = [Buffer.concat([PREFACE, bytesOf({type: SETTINGS})])]
  for (let n = 0; n < count; n += BATCH)
    pieces.push(Buffer.concat(Array.from({length: BATCH}, (_, k) => frames(2 * (n + k) + 1)).flat()))
  return pieces
}

const POSTS = 14
const POST_BYTES = 4_000_000

/** So many posts at a time; each is followed by the next. */
async function beginPosts(port: number): Promise<Underway> {
  const sockets = new Set<Socket>()
  const over = new AbortController()
  let answered = 0
  let fault = ''
  const post = async (n: number): Promise<void> => {
    // events are kept: each is published once, and what comes then replaces a value
    for (let round = 0; !over.signal.aborted; round++) {
      const value = 'x'.repeat(POST_BYTES)
      const [path, body] =
        round > 0 || n % 2 === 0
          ? ['/v1.0/state/statestore', JSON.stringify([{key: n.toString(), value}])]
          : ['/v1.0/publish/pubsub/orders', JSON.stringify({value})]
      const status = await inPieces({port, path, body}, socket => sockets.add(socket))
      // 503: the bodies of all take too much at this time
      if (!over.signal.aborted && !['204', '413', '503'].includes(status))
        fault = `a post of one-byte chunks: ${status}`
      answered++
    }
  }
  const posts = Promise.all(Array.from({length: POSTS}, async (_, n) => post(n)))
  return {
    goOn: async () => {
      if (fault !== '') throw new Error(fault)
      await pause(50)
    },
    isEnough: () => answered >= 2 * POSTS,
    end: async () => {
      over.abort()
      for (const socket of sockets) socket.destroy()
      await posts
    }
  }
}

const ANSWERS = 6
const ANSWERING = join(import.meta.dirname, '../fixtures/apps/one-byte-answers.mjs')

const answering = Array.from({length: ANSWERS}, (_, n): TemplateApp => ({
  appID: `pieces${n}`,
  appDirPath: '.',
  autoPort: true,
  maxBodySize: '32Mi',
  command: [process.execPath, ANSWERING]
}))

/** Lets the apps listen: each is asked for its configuration then. */
async function beginAnswers(_: number, rig: Rig, run: Program): Promise<Underway> {
  await writeFile(join(rig.folder, 'go'), '')
  await run.waitForLine('== asked', {nth: ANSWERS})
  let isAnswered = false
  const answered = run.waitForLine('== answered', {nth: ANSWERS}).then(() => (isAnswered = true))
  return {goOn: async () => pause(50), isEnough: () => isAnswered, end: async () => answered}
}

/** What is sent over HTTP/2, at the ports of HTTP and of gRPC. */
const FLOODS: readonly {
  readonly name: string
  readonly count: number
  readonly frames: (stream: number, head: Buffer) => readonly Buffer[]
}[] = [
  {name: 'rapid resets', count: 10_000, frames: (stream, head) => [headers(stream, head), reset(stream)]},
  {name: 'streams that never end', count: 200, frames: (stream, head) => [headers(stream, head)]},
  {name: 'more streams than may be', count: 2000, frames: (stream, head) => [headers(stream, head)]}
]

const floods = FLOODS.flatMap(({name, count, frames}): readonly Attack[] => [
  {
    name,
    apps: [],
    begin: async port =>
      beginFrames(
        port,
        streams(count, stream => frames(stream, NEVER))
      ),
    megabytes: 100
  },
  {
    name: `gRPC: ${name}`,
    apps: [],
    begin: async (_, _rig, run) =>
      beginFrames(
        (await run.ports('shop')).grpc,
        streams(count, stream => frames(stream, UNFINISHED))
      ),
    megabytes: 100
  },
  {
    name: `gRPC: ${name}, refused`,
    apps: [],
    begin: async (_, _rig, run) =>
      beginFrames(
        (await run.ports('shop')).grpc,
        streams(count, stream => frames(stream, REFUSED))
      ),
    megabytes: 100
  }
])

export const ATTACKS: readonly Attack[] = [
  ...floods,
  // 165 to 190 MB: the bodies, and the values and events that the built-in Redis keeps
  {name: '14 posts of 4 MB in one-byte chunks', apps: [], begin: beginPosts, megabytes: 200},
  {name: '6 answers of 15 MB in one-byte chunks', apps: answering, begin: beginAnswers, megabytes: 200}
]
