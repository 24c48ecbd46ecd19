import {once} from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import {load} from '../load.ts'
import {startTen, writeTen} from '../ten.ts'
import type {Soak} from './soak.ts'

/** One odd call: what is sent, what has to come back, and what is done then. */
interface Odd {
  readonly text: string
  readonly expected: {test(came: string): boolean}
  /** How many calls it counts as. */
  readonly calls?: number
  /** The caller leaves without waiting. */
  readonly leaves?: boolean
}

const AT_ONCE = 24
const ROUNDS_A_STEP = 60
const LARGE = 'x'.repeat(256 * 1024)

const oddCalls = (path: string, elsewhere: string): readonly Odd[] => {
  const head = (method: string, lines = '', target = path, version = '1.1'): string =>
    `${method} ${target} HTTP/${version}\r\nHost: localhost\r\n${lines}`
  const counted = (body: string, lines = ''): string =>
    `${head('POST', `${lines}Content-Length: ${body.length}\r\n`)}\r\n${body}`
  const chunked = head('POST', 'Transfer-Encoding: chunked\r\n') + '\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'
  const ok = /^HTTP\/1\.[01] 200 /
  return [
    {text: counted('plain'), expected: /plain$/},
    {text: counted('closing', 'Connection: close\r\n'), expected: /closing$/},
    {text: chunked, expected: /hello!/},
    {
      text: counted('ahead').repeat(10) + chunked,
      expected: {test: came => came.split('\r\n\r\nahead').length === 11 && came.includes('hello!')},
      calls: 11
    },
    {text: counted(LARGE), expected: {test: came => came.length > LARGE.length && came.endsWith('\r\n0\r\n\r\n')}},
    {text: `${head('POST', 'Content-Length: 3\r\n', path, '1.0')}\r\nold`, expected: /old$/},
    {text: `${head('HEAD')}\r\n`, expected: ok},
    {text: `${head('GET', '', `${path}%20b`)}\r\n`, expected: /^HTTP\/1\.1 /},
    {text: `${head('FOO', 'Content-Length: 0\r\n')}\r\n`, expected: ok},
    {text: counted('later', 'Expect: 100-continue\r\n'), expected: /^HTTP\/1\.1 100 [^]*later$/},
    {text: `${head('GET', '', '/v1.0/invoke/nobody/method/x')}\r\n`, expected: /couldn't find service: nobody/},
    {text: `${head('GET', '', '/v1.0/metadata')}\r\n`, expected: ok},
    {text: `${head('GET', 'dapr-app-id: a.b.c\r\n', '/x')}\r\n`, expected: /invalid app id/},
    {text: `${head('GET', `dapr-app-id: ${elsewhere}\r\n`, '/echo')}\r\n`, expected: /^HTTP\/1\.1 /},
    {text: `${head('GET', 'Content-Length: 3\r\nContent-Length: 4\r\n')}\r\nabc`, expected: /^HTTP\/1\.1 400 /},
    {text: 'BROKEN \0\r\n\r\n', expected: /^HTTP\/1\.1 400 /},
    {text: `${head('GET', `X-A: ${'a'.repeat(9000)}\r\n`)}\r\n`, expected: /^HTTP\/1\.1 431 /},
    {text: `${head('GET', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')}\r\n`, expected: /^HTTP\/1\.1 /},
    {text: head('POST', 'Content-Length: 99\r\n') + '\r\nhalf', expected: /^/, leaves: true},
    {text: 'GET /v1.0/inv', expected: /^/, leaves: true}
  ]
}

/** Makes one odd call on a line of its own; throws when something else came back. */
async function ask(port: number, {text, expected, leaves = false}: Odd): Promise<void> {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true})
  let came = ''
  const {promise, resolve} = Promise.withResolvers<void>()
  socket.setTimeout(20_000, resolve)
  socket
    .on('data', bytes => {
      came += bytes.toString('latin1')
      // The large ones are looked at rarely: the expression goes through all of it.
      if ((came.length < 10_000 || came.length > LARGE.length) && expected.test(came)) resolve()
    })
    .on('close', resolve)
    .on('error', () => resolve())
  await once(socket, 'connect')
  socket.write(text, 'latin1')
  if (!leaves) await promise
  else await new Promise(setImmediate)
  socket.destroy()
  if (!expected.test(came))
    throw new Error(`${JSON.stringify(text.slice(0, 100))} brought ${JSON.stringify(came.slice(0, 200))}`)
}

/** Streams of HTTP/2 on a connection of their own. */
async function askStreams(port: number, path: string): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await Promise.all(
    Array.from({length: 10}, async () => {
      const stream = session.request({':method': 'POST', ':path': path})
      stream.end('stream')
      const body = (await stream.toArray()).join('')
      if (body !== 'stream') throw new Error(`a stream brought ${body}`)
    })
  )
  session.close()
}

/** Calls of all kinds, good and bad ones, beside plain ones. */
export const mixed: Soak = {
  name: 'mixed',
  open: async rig => {
    await writeTen(rig)
    const {program, urls} = await startTen(rig)
    let turn = 0
    const round = async (): Promise<number> => {
      const {port, pathname} = new URL(urls[turn++ % urls.length] ?? '')
      const odd = oddCalls(pathname, `http://127.0.0.1:${port}`)
      const left = [...odd]
      const worker = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) await ask(Number(port), next)
      }
      await Promise.all([askStreams(Number(port), pathname), ...Array.from({length: AT_ONCE}, worker)])
      return odd.reduce((sum, {calls = 1}) => sum + calls, 10)
    }
    return {
      pid: program.pid,
      step: async () => {
        let made = 0
        for (let count = 0; count < ROUNDS_A_STEP; count++) made += await round()
        const plain = await load({url: urls[turn % urls.length] ?? '', connections: 16, seconds: 1, calls: 4000})
        return made + plain.requests
      },
      close: async () => {
        program.signal('SIGTERM')
        await program.exited
      }
    }
  }
}
