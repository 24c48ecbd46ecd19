import {execFileSync} from 'node:child_process'
import {mkdirSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {missing} from '../rig/missing.ts'
import {openRig} from '../rig/rig.ts'
import {launch} from './browser.ts'

/** A page that sets a cookie, and a WebSocket that answers. */
const WEB = `
import {createHash} from 'node:crypto'
const server = process.getBuiltinModule('node:http').createServer((request, response) => {
  if (request.url === '/old') return response.writeHead(301, {location: 'http://localhost:' + process.env.PORT + '/new'}).end()
  response.setHeader('content-type', 'text/html').setHeader('set-cookie', 'who=' + process.env.WHO + '; Secure')
  response.end('<title>' + process.env.WHO + ' got ' + (request.headers.cookie ?? 'none') + '</title>')
})
server.on('upgrade', (request, socket) => {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key.digest('base64') + '\\r\\n\\r\\n')
  socket.write(Buffer.concat([Buffer.from([0x81, 2]), Buffer.from('hi')]))
})
server.listen(process.env.PORT, '127.0.0.1')
`

t.test('a browser that trusts the authority opens names without a warning, each with its own cookies', async t => {
  let certutil = ''
  try {
    certutil = execFileSync('sh', ['-c', 'command -v certutil'], {encoding: 'utf8'}).trim()
  } catch {
    return void t.pass('without certutil', {skip: missing('there is no certutil (libnss3-tools)')})
  }
  const rig = await openRig(t)
  const port = await freePort()
  const [store, bin] = [join(rig.home, '.pki/nssdb'), join(rig.home, 'bin')]
  for (const folder of [store, bin]) mkdirSync(folder, {recursive: true})
  execFileSync(certutil, ['-N', '-d', `sql:${store}`, '--empty-password'])
  // the store of this machine is out of reach
  symlinkSync(certutil, join(bin, 'certutil'))
  const env = {...withNames(port), PATH: bin, XDG_STATE_HOME: join(rig.home, 'state')}
  t.match(await rig.run(['trust', '--yes'], {env}), {code: 0, stdout: /nssdb trusts Pillion CA/})
  for (const [folder, flags] of [
    ['shop', []],
    ['shop', ['--name', 'pr-214']]
  ] as const) {
    const who = flags[1] ?? 'main'
    const app = {appID: 'web', appDirPath: '.', autoPort: true, command: [process.execPath, 'web.mjs']}
    await rig.write({[`${folder}/web.mjs`]: WEB, [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, apps: [app]})})
    const run = rig.pillion(['run', '-f', '.', '--env', `WHO=${who}`, ...flags], {folder, env})
    await run.waitForLine('Writing log files')
  }
  const address = `https://web-shop.localhost:${port}/`
  const stranger = await launch([], {HOME: bin})
  t.teardown(async () => stranger.close())
  await t.rejects((await stranger.newPage()).goto(address), /ERR_CERT_AUTHORITY_INVALID/)
  const browser = await launch([], {HOME: rig.home})
  t.teardown(async () => browser.close())
  const page = await (await browser.newContext()).newPage()
  const titleAt = async (name: string, path = ''): Promise<string> => {
    await page.goto(`https://${name}.localhost:${port}/${path}`)
    return page.title()
  }
  t.equal(await titleAt('web-shop'), 'main got none')
  t.equal(await titleAt('web-shop-pr-214'), 'pr-214 got none', 'a copy does not see the cookies of another one')
  t.equal(await titleAt('web-shop'), 'main got who=main')
  for (const time of ['first', 'cached']) {
    t.equal(await titleAt('web-shop', 'old'), 'main got who=main')
    t.equal(page.url(), `${address}new`, `a permanent redirect to a number stays at the name: ${time}`)
  }
  const greeting = await page.evaluate(
    async place =>
      new Promise(resolve => {
        new WebSocket(place).addEventListener('message', ({data}) => resolve(data))
      }),
    address.replace('https', 'wss')
  )
  t.equal(greeting, 'hi')
  const {stdout} = await rig.run(['dashboard', '--no-open', '--name', 'pr-214'], {folder: 'shop', env})
  await page.goto(/https:\S+/.exec(stdout)?.[0] ?? '')
  await page.getByRole('link', {name: 'web', exact: true}).first().waitFor()
  t.match(page.url(), `https://pillion-shop-pr-214.localhost:${port}/`, 'the dashboard follows its run by name')
  t.match(await rig.run(['trust', '--remove', '--yes'], {env}), {code: 0})
  t.notMatch(execFileSync(certutil, ['-L', '-d', `sql:${store}`], {encoding: 'utf8'}), /Pillion/)
})
