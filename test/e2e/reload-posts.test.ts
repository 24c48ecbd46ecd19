import {once} from 'node:events'
import net from 'node:net'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {openShop, saveUnder} from './reload-shop.ts'

t.test('no call is lost or doubled while the callee is saved: POST, a connection each', {timeout: 120_000}, async t => {
  await saveUnder(t, await openShop(t), {method: 'POST', keepsAlive: false, perSecond: 100, bytes: 65_536})
})

/** Sends a request with a body, and leaves without an answer. */
async function sendAndLeave(
  port: number,
  path: string,
  framed: (body: string) => string,
  bytes: number
): Promise<void> {
  const socket = net.connect({port, host: '127.0.0.1'})
  const request = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${framed('x'.repeat(bytes))}`
  await Promise.all([once(socket.end(request), 'finish'), once(socket, 'connect')])
  socket.destroy()
}

const withLength = (body: string): string => `Content-Length: ${body.length}\r\n\r\n${body}`
const alone = (body: string): string => `Connection: close\r\n${withLength(body)}`
const inChunks = (body: string): string =>
  `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

t.test('a call whose caller has left while it was held never comes, though its body is large', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([
    {appID: 'stock', autoPort: true, port, watch: true},
    {appID: 'shop', command: []}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [old, {http}] = await Promise.all([rig.driven('stock'), run.ports('shop')])
  await old.listen()
  await rig.write({'stock/app.js': '1'})
  const next = await rig.driven('stock')
  for (const bytes of [100, 20_000, 200_000])
    for (const framed of [withLength, alone, inChunks]) {
      await sendAndLeave(port, `/${bytes}`, framed, bytes)
      await sendAndLeave(http, `/v1.0/invoke/stock/method/${bytes}`, framed, bytes)
    }
  // what came before has been read
  for (const path of ['healthz', 'metadata']) await (await fetch(`http://127.0.0.1:${http}/v1.0/${path}`)).arrayBuffer()
  const held = [
    fetch(`http://127.0.0.1:${port}/last`, {method: 'POST', body: 'y'.repeat(20_000)}),
    fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/last`, {method: 'POST', body: 'y'.repeat(20_000)})
  ]
  await next.listen()
  for (const _ of held) {
    const request = await next.nextRequest()
    t.match(request, {url: '/last', body: 'y'.repeat(20_000)})
    await request.reply()
  }
  for (const {status} of await Promise.all(held)) t.equal(status, 200)
})
