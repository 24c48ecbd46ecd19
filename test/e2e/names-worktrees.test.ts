import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import {text} from 'node:stream/consumers'
import {join} from 'node:path'
import type {Duplex} from 'node:stream'
import t from 'tap'
import {callByName, withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {answerOf, connected, overHttp2} from '../rig/secure-caller.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers each request and each WebSocket with its folder. */
const WEB = `
const own = {folder: process.cwd().split('/').at(-1)}
const server = process.getBuiltinModule('node:http').createServer((_, response) => response.end(JSON.stringify(own)))
server.on('upgrade', (request, socket) => {
  const accept = process.getBuiltinModule('node:crypto')
    .createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  const text = JSON.stringify(own)
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]))
})
server.listen(process.env.PORT, '127.0.0.1')
`

/** Opens a WebSocket (RFC 6455) on a connection, and returns all that arrives until its first message is complete. */
async function overWebSocket(socket: Duplex, host: string): Promise<string> {
  const lines = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`)
  let got = ''
  while (!got.endsWith('}')) got += String((await once(socket, 'data'))[0])
  socket.destroy()
  return got
}

/** Calls a name by HTTP/2 without TLS. Returns the status and the text. */
async function inClear(port: number, name: string): Promise<string> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({':authority': `${name}:${port}`})
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  const body = await text(stream)
  session.close()
  return `${Number(head[':status'])} ${body}`
}

t.test('two projects and three worktrees: each name answers its own app, in each protocol', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const state = join(rig.home, '.local/state')
  const env = {...withNames(port), PATH: join(rig.home, 'bin'), XDG_STATE_HOME: state}
  const apps = [{appID: 'web', appDirPath: '.', autoPort: true, command: [process.execPath, 'web.mjs']}]
  const templateOf = (name: string): string => JSON.stringify({version: 1, name, apps})
  await writeWorktrees(rig, {'dapr.yaml': templateOf('shop'), 'web.mjs': WEB}, ['pr-1', 'pr-2'])
  await rig.write({'blog/dapr.yaml': templateOf('blog'), 'blog/web.mjs': WEB})
  t.match(await rig.run(['trust', '--yes'], {env}), {code: 0})
  const ca = readFileSync(join(state, 'pillion/ca/ca.crt'), 'utf8')
  const owners = {blog: 'web-blog', main: 'web-shop', 'pr-1': 'web-shop-pr-1', 'pr-2': 'web-shop-pr-2'}
  for (const folder of Object.keys(owners)) {
    const run = rig.pillion(['run', '-f', '.'], {folder, env})
    await run.waitForLine('Writing log files')
  }
  for (const [folder, label] of Object.entries(owners)) {
    const name = `${label}.localhost`
    const own = new RegExp(`^HTTP/1\\.1 (?:200|101) [^]*{"folder":"${folder}"}`)
    t.match(await callByName(port, name), own, `${name} by HTTP`)
    t.match(await answerOf({port, ca}, name), own, `${name} by TLS`)
    t.match(await overHttp2({port, ca}, name), {status: 200, folder}, `${name} by HTTP/2`)
    t.match(await inClear(port, name), new RegExp(`^200 {"folder":"${folder}"}`), `${name} by HTTP/2 without TLS`)
    t.match(await overWebSocket(net.connect(port, '127.0.0.1'), name), own, `${name} by WebSocket`)
    t.match(await overWebSocket(await connected({port, ca}, name), name), own, `${name} by WebSocket and TLS`)
  }
  t.match(await inClear(port, 'wbe-shop.localhost'), /^404 No app is called wbe-shop\.localhost[^]*web-shop/)
})
