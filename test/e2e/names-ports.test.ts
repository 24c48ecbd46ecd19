import {once} from 'node:events'
import net from 'node:net'
import t from 'tap'
import {callByName, exchange, withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Answers with its id and the host of the request. */
const WEB = `
const {createServer} = process.getBuiltinModule('node:http')
const answer = ({headers: {host}}) => JSON.stringify({app: process.env.APP_ID, host})
createServer((request, response) => {
  const [, number] = /^\\/to\\/(\\w+)/.exec(request.url) ?? []
  const location = 'http://localhost:' + (number === 'own' ? process.env.PORT : number) + '/next?x=1'
  if (number !== undefined) response.writeHead(302, {location})
  response.end(answer(request))
}).listen(process.env.PORT, '127.0.0.1')
`

t.test('names answer at further ports, which an app with that port gets', async t => {
  const rig = await openRig(t)
  const [port, short, taken] = [await freePort(), await freePort(), await freePort()]
  const other = net.createServer(socket => socket.end('other')).listen(taken, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const env = {...withNames(port), PILLION_NAMES_PORT: [port, short, taken].join(',')}
  const start = async (folder: string, more: Record<string, unknown> = {}): Promise<ReturnType<Rig['pillion']>> => {
    const apps = [{id: 'web', dir: '.', command: ['node', 'web.mjs'], autoPort: true, ...more}]
    await rig.write({[`${folder}/web.mjs`]: WEB, [`${folder}/pillion.yaml`]: JSON.stringify({version: 1, apps})})
    const run = rig.pillion(['up'], {folder, env})
    await run.waitForLine('web ready')
    return run
  }
  const first = await start('shop')
  const own = await callByName(port, 'web-shop.localhost', '/to/own')
  t.match(own, /^HTTP\/1\.1 302 [^]*\r\nlocation: \/next\?x=1\r\n/i, 'a redirect to its own number stays at the name')
  t.match(await callByName(port, 'web-shop.localhost', '/to/1'), /\r\nlocation: http:\/\/localhost:1\/next\?x=1\r\n/i)
  for (const each of [port, short]) t.match(await callByName(each, 'web-shop.localhost'), /"app":"web"/)
  t.equal(await exchange(taken, ''), 'other', 'the number of another program stays its own')
  t.notMatch(first.stderr.text, `${taken}`)
  await start('blog', {port: short, autoPort: false})
  t.match(await callByName(short, 'localhost'), new RegExp(`"host":"localhost:${short}"`), 'the app has its port')
  for (const name of ['web-shop', 'web-blog'])
    t.match(await callByName(port, `${name}.localhost`), /"app":"web"/, 'names answer at the other one')
  await first.end('SIGKILL')
  for (;;) if ((await callByName(port, 'web-blog.localhost').catch(() => '')) !== '') break
  t.match(await callByName(short, 'localhost'), /"app":"web"/)
})

t.test('doctor names a host that does not lead to this machine, and one without HTTPS', async t => {
  const rig = await openRig(t)
  const apps = [{id: 'web', dir: '.', command: ['node', 'web.mjs'], autoPort: true, host: 'shop.pillion-test.invalid'}]
  await rig.write({'web.mjs': WEB, 'pillion.yaml': JSON.stringify({version: 1, apps})})
  const env = {...withNames(await freePort()), XDG_STATE_HOME: `${rig.home}/state`, PATH: `${rig.home}/none`}
  await rig.run(['trust', '--yes'], {env})
  const run = rig.pillion(['up'], {env: withNames(await freePort())})
  await run.waitForLine('web ready at http://shop.pillion-test.invalid')
  const {stdout} = await rig.run(['doctor'], {env: {XDG_STATE_HOME: `${rig.home}/state`}})
  t.match(
    stdout,
    /shop\.pillion-test\.invalid does not lead to this machine[^]*127\.0\.0\.1 shop\.pillion-test\.invalid/
  )
  t.match(stdout, /shop\.pillion-test\.invalid answers with plain HTTP/)
})

t.test('a host that an edit adds stays with the run that has it, the port with runs of another folder', async t => {
  const [rig, other, port] = [await openRig(t), await openRig(t), await freePort()]
  const [first, blog] = [await startWeb(rig, 'shop', port), await startWeb(rig, 'blog', port)]
  const foreign = await startWeb(other, 'far', port)
  await foreign.stderr.line(/names do not answer at port \d+: .*\(pid \d+\) has it\. .*PILLION_NAMES_PORT/)
  await saveWeb(rig, 'blog', {host: 'web-shop'})
  await blog.stderr.line(/web-shop\.localhost is web of .*shop\/pillion\.yaml \(pid \d+\), so "web" has no name/)
  await blog.end()
  t.match(await callByName(port, 'web-far.localhost'), /^HTTP\/1\.1 404 /)
  first.signal('SIGTERM')
  for (;;) if (/"app":"web"/.test(await callByName(port, 'web-far.localhost').catch(() => ''))) break
})

t.test('a suspended run that has the entrance is reported, and answers when it is resumed', async t => {
  const [rig, port] = [await openRig(t), await freePort()]
  const first = await startWeb(rig, 'shop', port)
  first.signal('SIGSTOP')
  const second = await startWeb(rig, 'blog', port)
  await second.stderr.line(
    /names do not answer at port \d+: shop \(pid \d+\) has it and is suspended\. Resume it with fg/
  )
  first.signal('SIGCONT')
  t.match(await callByName(port, 'web-blog.localhost'), /"app":"web"/)
})

t.test('a name is free again when the run that has it ends', async t => {
  const rig = await openRig(t)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const port = await freePort()
    const first = await startWeb(rig, `a/${signal}`, port)
    const second = await startWeb(rig, `b/${signal}`, port)
    await second.stderr.line(/so "web" has no name/)
    await first.end(signal)
    let answer = ''
    while (answer === '') answer = await callByName(port, `web-${signal}.localhost`).catch(() => '')
    t.match(answer, /"app":"web"/, signal)
    t.match(await rig.run(['name', 'web'], {folder: `b/${signal}`}), {code: 0})
  }
})

async function startWeb(rig: Rig, folder: string, ...ports: number[]): Promise<ReturnType<Rig['pillion']>> {
  await saveWeb(rig, folder)
  const env = {...withNames(0), PILLION_NAMES_PORT: ports.join(',')}
  const run = rig.pillion(['up', '--watch'], {folder, env})
  await run.waitForLine('web ready')
  return run
}

async function saveWeb(rig: Rig, folder: string, more: object = {}): Promise<void> {
  const apps = [{id: 'web', dir: '.', command: ['node', 'web.mjs'], autoPort: true, ...more}]
  await rig.write({[`${folder}/web.mjs`]: WEB, [`${folder}/pillion.yaml`]: JSON.stringify({version: 1, apps})})
}
