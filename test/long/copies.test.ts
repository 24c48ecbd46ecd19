import t from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const SERVER = `const {createServer} = require('node:http')
const {DAPR_HTTP_PORT, CART_URL, APP_PORT} = process.env
createServer(async ({url}, response) => {
  if (url !== '/ask') return response.end(process.cwd() + ' ' + CART_URL)
  const answer = await fetch('http://127.0.0.1:' + DAPR_HTTP_PORT + '/v1.0/invoke/extra/method/x')
  response.end(String(answer.status))
}).listen(Number(process.argv[3] ?? APP_PORT), '127.0.0.1')
`

/** A template with fixed ports in two worktrees of one repository; one has an app more. */
async function writeCopies(rig: Rig, [shop = 0, cart = 0, sidecar = 0]: readonly number[]): Promise<void> {
  const apps = [
    `{appID: shop, appDirPath: ., appPort: ${shop}, daprHTTPPort: ${sidecar}, command: [node, server.js], env: {CART_URL: 'http://localhost:${cart}'}}`,
    `{appID: cart, appDirPath: ., appPort: ${cart}, command: [sh, -c, 'exec node server.js --port ${cart}']}`
  ]
  const template = `version: 1\napps:\n${apps.map(app => `  - ${app}\n`).join('')}`
  await writeWorktrees(rig, {'dapr.yaml': template, 'server.js': SERVER})
  const extra = '  - {appID: extra, appDirPath: ., autoPort: true, command: [node, server.js]}\n'
  await rig.write({'main/dapr.yaml': template + extra})
}

/** An app of the run of a folder. */
async function rowOf(rig: Rig, folder: string, id: string): Promise<PsRow> {
  const {stdout} = await rig.run(['ps', id, '-o', 'json'], {folder})
  const [row] = JSON.parse(stdout) as readonly PsRow[]
  if (row === undefined) throw new Error(`no ${id} in ${folder}`)
  return row
}

const get = async (port: number, path = '/'): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text()

t.test('two worktrees run side by side: the second gets other ports, of which its apps are told', async t => {
  const rig = await openRig(t)
  const ports = await freePorts(3)
  const [shop = 0, cart = 0, sidecar = 0] = ports
  await writeCopies(rig, ports)
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'main'}), {code: 0})
  t.match(await rig.run(['up', '--strict-ports'], {folder: 'pr'}), {code: 1, stderr: /not available/})
  const pr = rig.pillion(['up'], {folder: 'pr'})
  const told = await pr.waitForLine('other ports', {stream: 'stderr'})
  t.match(told, `other ports: main (pid ${main.pid}) runs the same template and has its ports: shop ${shop} → `)
  t.match(told, /gives shop the number/)
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'pr'}), {code: 0})
  t.match(await rowOf(rig, 'main', 'shop'), {runName: 'main', appPort: shop, httpPort: sidecar})
  const own = await rowOf(rig, 'pr', 'shop')
  const {appPort} = await rowOf(rig, 'pr', 'cart')
  t.match(own, {runName: 'pr'})
  t.not(own.httpPort, sidecar)
  t.match(await get(shop), new RegExp(`/main http://localhost:${cart}$`))
  t.match(await get(own.appPort), new RegExp(`/pr http://localhost:${appPort}$`))
  t.match(await get(appPort), /\/pr /)
  t.equal(await get(own.appPort, '/ask'), '500', 'what this copy has not is not looked for in the other one')
  t.equal(await get(shop, '/ask'), '200')
  t.match(await rig.run(['down'], {folder: 'pr'}), {code: 0})
  t.match(await pr.exited, {code: 0})
  const again = rig.pillion(['up', '--isolated'], {folder: 'pr'})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'pr'}), {code: 0})
  t.match(await rowOf(rig, 'pr', 'cart'), {appPort}, 'the same numbers each day')
  t.match(await rig.run(['down', '--name', 'main']), {code: 0})
  t.match(await rig.run(['down', '--name', 'pr']), {code: 0})
  t.match([await main.exited, await again.exited], [{code: 0}, {code: 0}])
})

t.test('--isolated and --strict-ports are for templates', async t => {
  const rig = await openRig(t)
  for (const flag of ['--isolated', '--strict-ports'])
    t.match(await rig.run(['run', '-a', 'x', flag, '--', 'true']), {
      code: 1,
      stderr: new RegExp(`${flag} is about the ports that a run template fixes: add --run-file`)
    })
})
