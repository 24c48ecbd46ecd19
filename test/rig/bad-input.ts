import {once} from 'node:events'
import {Agent, request, type IncomingMessage} from 'node:http'
import {connect, type Socket} from 'node:net'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {setImmediate as turn} from 'node:timers/promises'
import type {TemplateApp} from './rig.ts'

const ODD = join(import.meta.dirname, '../fixtures/apps/odd.mjs')

/** An app of `test/fixtures/apps/odd.mjs`; bodies of 1 GB may pass. */
export const oddApp = (appID: string): TemplateApp => ({
  appID,
  autoPort: true,
  maxBodySize: '2Gi',
  command: [process.execPath, ODD]
})

/** Somebody who misbehaves at a sidecar whose run has the app `odd`. */
export interface Misbehaviour {
  readonly name: string
  /** Begins, and settles when all of it is under way; gives what goes on with it, and what ends it. */
  readonly begin: (port: number) => Promise<Underway>
  /** More memory of its own that a run may need for this, in MB. */
  readonly megabytes: number
}

export interface Underway {
  /** Does a bit more of it; called again and again. Rejects where it is not answered as it must be. */
  readonly goOn: () => Promise<unknown>
  readonly end: () => Promise<unknown>
}

const SLOW_READERS = 50
const SLOW_BYTES = 64_000_000
const LARGE_BYTES = 300_000_000
const FIELDS = 100
/** What a sidecar takes without more settings: `readBufferSize`. */
const HEAD_BYTES = 4096

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {name: 'readers of a byte at a time', begin: beginSlowReaders, megabytes: 120},
  {name: '10,000 silent connections', begin: async port => beginSilence(port, 10_000), megabytes: 150},
  {name: 'heads of 4 KiB with 100 fields', begin: beginHeads, megabytes: 60},
  {name: 'bodies of 300 MB both ways', begin: beginLargeBodies, megabytes: 120},
  {name: 'an app that closes every connection', begin: beginClosing, megabytes: 60}
]

async function beginSlowReaders(port: number): Promise<Underway> {
  const sockets = await Promise.all(Array.from({length: SLOW_READERS}, async () => opened(port)))
  for (const socket of sockets) socket.write(head(`/bytes?count=${SLOW_BYTES}`))
  await Promise.all(sockets.map(async socket => once(socket, 'readable')))
  const goOn = async (): Promise<void> => {
    for (const socket of sockets) if (socket.read(1) === null) await once(socket, 'readable')
  }
  return {goOn, end: async () => closeAll(sockets)}
}

/** So many connections that say nothing. */
export async function beginSilence(port: number, count: number): Promise<Underway> {
  const sockets: Socket[] = []
  // no more at a time than a listener keeps waiting
  while (sockets.length < count) {
    const wave = Math.min(200, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({length: wave}, async () => opened(port)))))
  }
  return {goOn: async () => undefined, end: async () => closeAll(sockets)}
}

async function beginHeads(port: number): Promise<Underway> {
  const agent = new Agent({keepAlive: true, maxSockets: 16})
  const most = HEAD_BYTES - head('/fields').length - 'content-length: 0\r\nconnection: keep-alive\r\n'.length
  const length = Math.floor(most / FIELDS) - 'x-f-000: \r\n'.length
  const fields = (more: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({length: FIELDS}, (_, n) => [`x-f-${n.toString().padStart(3, '0')}`, 'v'.repeat(length + more)])
    )
  const goOn = async (): Promise<void> => {
    const fit = await Promise.all(
      Array.from({length: 16}, async () => called(port, 'odd', '/fields', {agent, headers: fields(0)}))
    )
    const wrong = fit.find(({status, body}) => status !== 200 || body !== FIELDS.toString())
    if (wrong !== undefined) throw new Error(`a head that fits: ${wrong.status} ${wrong.body}`)
    const {status} = await called(port, 'odd', '/fields', {agent, headers: fields(60)})
    if (status !== 431) throw new Error(`a head that is too large: ${status}`)
  }
  await goOn()
  return {goOn, end: async () => agent.destroy()}
}

/** One caller sends so much, another one gets as much; both begin again when they are done. */
async function beginLargeBodies(port: number): Promise<Underway> {
  const agent = new Agent({keepAlive: true})
  const goOn = async (): Promise<void> => {
    const [sent, got] = await Promise.all([sentBytes(port, agent), gotBytes(port, agent)])
    if (sent !== LARGE_BYTES || got !== LARGE_BYTES) throw new Error(`sent ${sent}, got ${got}`)
  }
  return {goOn, end: async () => agent.destroy()}
}

/** What the app has counted of a large body. */
async function sentBytes(port: number, agent: Agent): Promise<number> {
  const call = request({...TO, port, method: 'POST', path: `${PREFIX}/count`, agent})
  const answered = once(call, 'response') as Promise<[IncomingMessage]>
  const [text] = await Promise.all([answered.then(async ([answer]) => textOf(answer)), pipeline(largeBody(), call)])
  return Number(text)
}

/** What comes of a large answer. */
async function gotBytes(port: number, agent: Agent): Promise<number> {
  const path = `${PREFIX}/bytes?count=${LARGE_BYTES}`
  const [answer] = (await once(request({...TO, port, path, agent}).end(), 'response')) as [IncomingMessage]
  let count = 0
  for await (const piece of answer) count += (piece as Buffer).length
  return count
}

function* largeBody(): Generator<Buffer> {
  const piece = Buffer.alloc(100_000, 'x')
  for (let left = LARGE_BYTES; left > 0; left -= piece.length) yield piece
}

async function beginClosing(port: number): Promise<Underway> {
  const agent = new Agent({keepAlive: true, maxSockets: 16})
  const goOn = async (): Promise<void> => {
    const answers = await Promise.all(Array.from({length: 16}, async () => called(port, 'odd', '/close', {agent})))
    const wrong = answers.find(({status, body}) => status !== 500 || !body.includes('ERR_DIRECT_INVOKE'))
    if (wrong !== undefined) throw new Error(`${wrong.status} ${wrong.body}`)
  }
  await goOn()
  return {goOn, end: async () => agent.destroy()}
}

/** Goes on misbehaving while something else is done; rejects, too, if one of both fails. */
export async function meanwhile<T>(under: Underway, done: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const goingOn = goOnUntil(over.signal, under)
  goingOn.catch(() => undefined) // told below
  try {
    return await done()
  } finally {
    over.abort()
    await goingOn
  }
}

async function goOnUntil(over: AbortSignal, {goOn}: Underway): Promise<void> {
  while (!over.aborted) await Promise.all([goOn(), turn()])
}

interface CallOptions {
  readonly agent: Agent
  readonly headers?: Readonly<Record<string, string>>
}

/** One call to an app. */
export async function called(
  port: number,
  app: string,
  path: string,
  {agent, headers = {}}: CallOptions
): Promise<{readonly status: number; readonly body: string}> {
  const call = request({...TO, port, path: `/v1.0/invoke/${app}/method${path}`, agent, headers}).end()
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return {status: answer.statusCode ?? 0, body: await textOf(answer)}
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of answer) text += String(piece)
  return text
}

const TO = {host: '127.0.0.1'}
const PREFIX = '/v1.0/invoke/odd/method'

const head = (path: string): string => `GET ${PREFIX}${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

async function opened(port: number): Promise<Socket> {
  const socket = connect({port, host: '127.0.0.1'})
  await once(socket, 'connect')
  return socket.on('error', () => undefined)
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(async socket => {
      if (socket.closed) return
      socket.destroy()
      await once(socket, 'close')
    })
  )
}
