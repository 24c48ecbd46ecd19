import t from 'tap'
import {Agent, request, type IncomingMessage} from 'node:http'
import {once} from 'node:events'
import type {Socket} from 'node:net'
import {withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers with its folder and the method; a word after an upgrade comes back with the folder. */
const ECHO = `
import {basename} from 'node:path'
import http from 'node:http'
const copy = basename(process.cwd())
const server = http.createServer((request, response) => {
  request.resume().on('end', () => response.end(request.method + ' of ' + copy))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n' + copy)
  socket.on('data', word => socket.write(copy + ' got ' + word))
})
server.listen(process.env.PORT)
`

t.test('a page opened by the name of a copy reaches the app of that copy at the number of main', async t => {
  const rig = await openRig(t)
  const [entrance, api] = [await freePort(), await freePort()]
  const apps = [
    {id: 'api', dir: '.', command: ['node', 'api.mjs'], port: api},
    {id: 'web', dir: '.', command: ['node', 'api.mjs'], autoPort: true}
  ]
  await writeWorktrees(rig, {'api.mjs': ECHO, 'pillion.yaml': JSON.stringify({version: 1, name: 'shop', apps})})
  for (const folder of ['main', 'pr']) {
    rig.pillion(['up'], {folder, env: withNames(entrance)})
    await rig.run(['wait', '--for', 'ready'], {folder})
  }
  // one connection for all, as that of a browser may be
  const agent = new Agent({keepAlive: true, maxSockets: 1})
  t.teardown(() => agent.destroy())
  const ask = async (headers: Record<string, string>, method = 'GET', body = ''): Promise<string> => {
    const sent = request({agent, host: 'localhost', port: api, method, headers})
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return Buffer.concat(await answer.toArray()).toString()
  }
  const [main, pr] = [`http://web-shop.localhost:${entrance}`, `http://web-shop-pr.localhost:${entrance}`]
  t.equal(await ask({}), 'GET of main')
  t.equal(await ask({origin: pr}, 'OPTIONS'), 'OPTIONS of pr', 'the request that asks for permission')
  t.equal(await ask({origin: pr}, 'POST', 'x'.repeat(300_000)), 'POST of pr')
  t.equal(await ask({origin: main}), 'GET of main')
  t.equal(await ask({referer: `${pr}/list`}), 'GET of pr', 'an image')
  t.equal(await ask({origin: 'https://web-shop-pr.localhost'}), 'GET of pr', 'by HTTPS at the usual port')
  t.equal(await ask({origin: `http://localhost:${entrance}`}), 'GET of main')
  t.equal(await ask({origin: `http://web-other-pr.localhost:${entrance}`}), 'GET of main')
  t.equal(await ask({}), 'GET of main')
  const upgrade = request({host: 'localhost', port: api, headers: {origin: pr, connection: 'Upgrade', upgrade: 'echo'}})
  upgrade.end()
  const [, socket, head] = (await once(upgrade, 'upgrade')) as [IncomingMessage, Socket, Buffer]
  let got = head.toString()
  socket.setEncoding('utf8').write('a word')
  while (!got.endsWith('a word')) got += String((await once(socket, 'data'))[0])
  t.equal(got, 'prpr got a word')
  socket.destroy()
  const {stdout} = await rig.run(['calls', '-o', 'json'], {folder: 'pr'})
  t.match(stdout, /"method":"OPTIONS"[^]*"method":"POST"/, 'the copy records them')
})
