import {once} from 'node:events'
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {callByName, withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {answerOf, connected, overHttp2} from '../rig/secure-caller.ts'
import {TLS} from '../rig/tls.ts'

/** Answers with its headers, and echoes after an upgrade. */
const WEB = `
const server = process.getBuiltinModule('node:http').createServer((request, response) => {
  let size = 0
  request.on('data', piece => (size += piece.length)).on('end', () =>
    response.end(JSON.stringify({app: process.env.APP_ID, url: request.url, size, headers: request.headers})))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

/** Answers with its headers over TLS. */
const SECURE = `
const {readFileSync} = process.getBuiltinModule('node:fs')
const [cert, key] = process.argv.slice(2).map(path => readFileSync(path))
process.getBuiltinModule('node:https').createServer({cert, key}, (request, response) =>
  response.end(JSON.stringify({app: process.env.APP_ID, headers: request.headers}))).listen(process.env.PORT, '127.0.0.1')
`

/** Starts a project with two apps. The PATH has no tool of a trust store. */
async function startProject(rig: Rig, folder: string, env: Readonly<Record<string, string>>) {
  const app = {appDirPath: '.', autoPort: true, command: [process.execPath, 'web.mjs']}
  const routes = {'/files': {app: 'files', strip: true}}
  const command = [process.execPath, 'secure.mjs', join(TLS, 'server.pem'), join(TLS, 'server.key')]
  const apps = [
    {...app, appID: 'web', routes},
    {...app, appID: 'files'},
    {...app, appID: 'secure', appProtocol: 'https', command}
  ]
  await rig.write({
    [`${folder}/web.mjs`]: WEB,
    [`${folder}/secure.mjs`]: SECURE,
    [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, apps})
  })
  const run = rig.pillion(['run', '-f', '.'], {folder, env})
  await run.waitForLine('Writing log files', {nth: 3})
  return run
}

t.test('names answer with TLS: without trust, after trust in a run that is going, and for another run', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const state = join(rig.home, '.local/state')
  const env = {...withNames(port), PATH: join(rig.home, 'bin'), XDG_STATE_HOME: state}
  await startProject(rig, 'shop', env)
  await startProject(rig, 'blog', env)
  await t.rejects(connected({port}, 'web-shop.localhost'), {code: /SELF_SIGNED|UNABLE_TO/}, 'nobody trusts it yet')
  t.match(await rig.run(['name', 'web'], {folder: 'shop', env}), {stdout: `http://web-shop.localhost:${port}\n`})

  t.match(await rig.run(['trust'], {env}), {code: 1, stderr: /--yes agrees to it/})
  t.notOk(existsSync(join(state, 'pillion/ca')), 'nothing is made without an agreement')
  t.match(await rig.run(['trust', '--yes'], {env: {...env, XDG_STATE_HOME: '/proc/none'}}), {
    code: 1,
    stderr: /the certificate authority cannot be written: .*\n *XDG_STATE_HOME/
  })
  mkdirSync(join(state, 'pillion/ca'), {recursive: true})
  writeFileSync(join(state, 'pillion/ca/ca.key'), 'of a command that was killed')
  t.match(await rig.run(['trust', '--yes'], {env}), {
    code: 0,
    stdout: /NODE_EXTRA_CA_CERTS=.*ca\.crt/,
    stderr: /no trust store was found: import .*ca\.crt as an authority/
  })
  const ca = readFileSync(join(state, 'pillion/ca/ca.crt'), 'utf8')
  const caller = {port, ca}
  t.match(await rig.run(['name', 'web'], {folder: 'shop', env}), {stdout: `https://web-shop.localhost:${port}\n`})
  t.match(await answerOf(caller, 'web-shop.localhost'), /^HTTP\/1\.1 200 [^]*"x-forwarded-proto":"https"/)
  t.match(await answerOf(caller, 'web-blog.localhost'), /^HTTP\/1\.1 200 [^]*"host":"web-blog\.localhost/)
  t.match(await callByName(port, 'web-shop.localhost'), /^HTTP\/1\.1 200 /, 'plain HTTP at the same port')
  for (const folder of ['shop', 'blog'])
    t.match(await overHttp2(caller, `web-${folder}.localhost`, 'x'.repeat(300_000)), {
      status: 200,
      size: 300_000,
      headers: {host: `web-${folder}.localhost:${port}`, 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1'}
    })
  t.match(await overHttp2(caller, 'web-shop.localhost'), {status: 200, size: 0})
  const ofSecure = /^HTTP\/1\.1 200 [^]*"app":"secure"[^]*"host":"secure-shop\.localhost/
  t.match(await callByName(port, 'secure-shop.localhost'), ofSecure, 'an app of HTTPS is called by TLS')
  t.match(await answerOf(caller, 'secure-shop.localhost'), ofSecure)
  const stripped = await overHttp2(caller, 'web-blog.localhost', '', {':path': '/files/x?y=/files'})
  t.match(stripped, {app: 'files', url: '/x?y=/files'}, 'a route removes its prefix')
  const loop = await overHttp2(caller, 'web-shop.localhost', '', {'pillion-hops': '1, 1, 1, 1, 1'})
  t.match(loop, {status: 508, detail: /changeOrigin/})
  const echo = await connected(caller, 'web-blog.localhost')
  echo
    .setEncoding('latin1')
    .write('GET / HTTP/1.1\r\nHost: web-blog.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi')
  let got = ''
  while (!got.endsWith('hi')) got += String((await once(echo, 'data'))[0])
  t.match(got, /^HTTP\/1\.1 101 /)
  echo.destroy()
  const dotted = await answerOf(caller, 'WEB-shop.localhost.')
  t.match(dotted, /^HTTP\/1\.1 200 [^]*"host":"WEB-shop\.localhost\./, 'a dot at the end is part of no name')
  await t.rejects(connected(caller, 'nobody.localhost'), 'a certificate is made for our names alone')

  const key = join(state, 'pillion/ca/ca.key')
  chmodSync(key, 0o644)
  t.match(await rig.run(['trust', '--yes'], {env}), {code: 1, stderr: /ca\.key is open to other users: chmod 600/})
  t.match(await rig.run(['trust', '--remove', '--yes'], {env}), {code: 0})
  t.notOk(existsSync(key))
  await t.rejects(connected(caller, 'web-shop.localhost'), 'the authority is gone from runs, too')
  t.match(await callByName(port, 'web-shop.localhost'), /^HTTP\/1\.1 200 /)
})
