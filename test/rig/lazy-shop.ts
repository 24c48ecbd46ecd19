import type {Test} from 'tap'
import {appsOf} from './control-socket.ts'
import {freePort} from './free-port.ts'
import {openRig, type Rig, type TemplateApp} from './rig.ts'

/** Answers with its pid and the path. Ends at once if its file says so. */
export const APP = `
const {createServer} = process.getBuiltinModule('node:http')
import {existsSync} from 'node:fs'
if (existsSync('broken')) {
  console.error('no database')
  process.exit(3)
}
createServer((request, response) => {
  if (request.url === '/slow') return setTimeout(() => response.end('slow'), 800)
  response.end(JSON.stringify({pid: process.pid, path: request.url}))
}).listen(Number(process.env.APP_PORT ?? process.env.PORT), '127.0.0.1', () => console.log('listens'))
`

interface Shop {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  /** Its sidecar invokes the others. */
  readonly port: number
}

/** A template with these apps, and a sidecar that calls them. */
export async function openShop(t: Test, apps: readonly TemplateApp[], args: readonly string[] = []): Promise<Shop> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([
    {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']},
    ...apps.map(app => ({command: ['node', '../app.mjs'], ...app}))
  ])
  await rig.write({'app.mjs': APP})
  const run = rig.pillion(['run', '-f', '.', ...args])
  await run.waitForLine('Started Dapr with app id "shop"')
  return {rig, run, port}
}

export const invoke = async (port: number, app: string, path = '/'): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1.0/invoke/${app}/method${path}`)

export const stateOf = async (rig: Rig, id: string): Promise<string> =>
  (await appsOf(rig)).find(each => each.id === id)?.state ?? ''
