import type * as Api from '../../src/model/api.generated.ts'
import http from 'node:http'
import http2 from 'node:http2'
import t from 'tap'
import {ask, openShop, type Outcome} from './fault-shop.ts'

/** The same over HTTP/2. */
async function askOverHttp2(url: string): Promise<Outcome> {
  const {origin, pathname} = new URL(url)
  const session = http2.connect(origin)
  try {
    return await new Promise(resolve => {
      let [status, body, mark] = [0, '', undefined as string | undefined]
      session
        .request({':path': pathname})
        .setEncoding('utf8')
        .on('response', headers => {
          status = headers[':status'] ?? 0
          mark = headers['pillion-fault'] as string | undefined
        })
        .on('data', (piece: string) => (body += piece))
        .on('end', () => (status === 0 ? undefined : resolve({status, body, mark})))
        .on('error', error => resolve({error: (error as NodeJS.ErrnoException).code ?? '', status, body}))
    })
  } finally {
    session.destroy()
  }
}

t.test('a delay holds a call back until it is off; a call without a response waits for its caller', async t => {
  const {run, url, fault, rows} = await openShop(t)
  await fault('shop', 'stock', '--delay', '1h', '--path', '/late')
  const late = ask(url('/late'))
  let inside: readonly Api.Call[] = []
  do inside = await rows('is:open')
  while (inside.length === 0)
  t.match(inside, [{path: '/late', isOpen: true, waitedFor: ['fault 1'], marks: ['fault']}])
  await fault('--off', 'all')
  t.match(await late, {status: 200, body: '0123456789', mark: '1'})
  await fault('shop', 'stock', '--delay', '20ms', '--jitter', '10ms')
  t.match(await ask(url('/x')), {status: 200, mark: '2'})
  t.ok(((await rows('is:fault'))[1]?.waitedMs ?? 0) >= 9, 'it waited')
  await fault('--off', 'all')

  await fault('shop', 'stock', '--never')
  const request = http.get(url('/never'), {agent: false})
  request.on('error', () => undefined)
  do inside = await rows('is:open')
  while (inside.length === 0)
  request.destroy()
  await new Promise(resolve => void request.on('close', resolve))
  do inside = await rows('is:open')
  while (inside.length > 0)
  const hanging = ask(url('/never'))
  do inside = await rows('is:open')
  while (inside.length === 0)
  await run.end()
  await hanging
})

t.test('abort resets the connection, cut breaks the response off after its head or so many bytes', async t => {
  const {url, fault, rows} = await openShop(t)
  await fault('shop', 'stock', '--abort')
  t.strictSame(await ask(url('/x')), {error: 'ECONNRESET'})
  t.strictSame(await ask(url('/x'), 'POST'), {error: 'ECONNRESET'})
  await fault('--off', 'all')
  t.match(await ask(url('/count')), {body: '0'}, 'the callee was not called')
  await fault('shop', 'stock', '--cut')
  t.strictSame(await ask(url('/x')), {status: 200, body: '', error: 'ECONNRESET'})
  t.strictSame(await ask(url('/pieces')), {status: 200, body: '', error: 'ECONNRESET'})
  await fault('--off', 'all')
  await fault('shop', 'stock', '--cut-after', '4')
  t.strictSame(await ask(url('/x')), {status: 200, body: '0123', error: 'ECONNRESET'})
  t.strictSame(await ask(url('/pieces')), {status: 200, body: 'one ', error: 'ECONNRESET'})
  t.match(await ask(url('/count')), {status: 200, body: '4', mark: '3'}, 'a shorter body arrives whole')
  t.match(await rows('is:fault is:failed'), [
    {failure: 'the connection was reset by a fault', status: 0},
    {failure: 'the connection was reset by a fault', status: 0},
    {failure: /cut by a fault/},
    {failure: /cut by a fault/},
    {failure: /cut by a fault/},
    {failure: /cut by a fault/}
  ])
})

t.test('the same over HTTP/2, and for requests in chunks', async t => {
  const {url, fault} = await openShop(t)
  /** A body in chunks is read by node:http. */
  const chunked = async (path: string): Promise<string> => {
    const pieces = new ReadableStream({
      start: controller => {
        controller.enqueue(new TextEncoder().encode('body'))
        controller.close()
      }
    })
    try {
      const response = await fetch(url(path), {method: 'POST', body: pieces, duplex: 'half'})
      return `${response.status} ${await response.text()} ${response.headers.get('pillion-fault') ?? ''}`
    } catch (error) {
      return String(error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code)
    }
  }
  await fault('shop', 'stock', '--status', '503', '--times', '2')
  t.strictSame(await askOverHttp2(url('/x')), {status: 503, body: 'fault 1 of Pillion\n', mark: '1'})
  t.equal(await chunked('/x'), '503 fault 1 of Pillion\n 1')
  await fault('shop', 'stock', '--abort', '--times', '2')
  t.match(await askOverHttp2(url('/x')), {error: 'ERR_HTTP2_STREAM_ERROR', status: 0})
  t.equal(await chunked('/x'), 'ECONNRESET')
  await fault('shop', 'stock', '--cut-after', '4', '--times', '2')
  t.match(await askOverHttp2(url('/x')), {error: 'ERR_HTTP2_STREAM_ERROR', status: 200, body: '0123'})
  t.equal(await chunked('/x'), 'UND_ERR_SOCKET')
  await fault('shop', 'stock', '--delay', '1ms', '--times', '2')
  t.strictSame(await askOverHttp2(url('/x')), {status: 200, body: '0123456789', mark: '4'})
  t.equal(await chunked('/x'), '200 0123456789 4')
  t.match(await ask(url('/count')), {body: '4'}, 'cut and late calls alone have reached the callee')
})

t.test('kill ends the process of the callee while the call is inside; the next life answers', async t => {
  const {run, url, fault} = await openShop(t)
  t.match(await ask(url('/x')), {status: 200})
  await fault('shop', 'stock', '--kill', '--times', '1')
  const killed = await ask(url('/hold'))
  t.match(killed, {status: 500, body: /SIGKILL/, mark: '1'})
  await run.waitForLine(/fault 1 kills stock \(pid \d+\)$/)
  t.match(await ask(url('/x')), {status: 200, mark: undefined})
  t.match(await ask(url('/count')), {body: '1'}, 'a new process')
})
