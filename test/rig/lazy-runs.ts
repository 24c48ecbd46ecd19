import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort} from './free-port.ts'
import {component} from './resource-files.ts'
import {openRig, type Rig} from './rig.ts'

/** Reads a topic, hosts actors, takes jobs, and prints what it gets. Files make it answer badly: "busy" to questions about topics, until the path that it names is called, "silent" to those about bindings. */
const APP = `
import {existsSync, readFileSync, rmSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
const answers = {
  '/dapr/subscribe': [{pubsubname: 'pubsub', topic: 'news', route: '/news'}],
  '/dapr/config': {entities: ['Cart']}
}
createServer((request, response) => {
  const {method, url} = request
  if (method === 'OPTIONS' && existsSync('silent')) return request.socket.destroy()
  request.resume().on('end', () => {
    if (!url.startsWith('/dapr/') && method !== 'DELETE') console.log('got ' + method + ' ' + url)
    response.setHeader('content-type', 'application/json')
    if (existsSync('busy')) {
      if (url === '/dapr/subscribe') response.statusCode = 503
      if (url === readFileSync('busy', 'utf8')) rmSync('busy')
    }
    response.end(JSON.stringify(answers[url] ?? {}))
  })
}).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('listens'))
`

const PUBSUB = component('pubsub', 'pubsub.in-memory')
export const WORKER = join(import.meta.dirname, '../fixtures/apps/workflow-worker.ts')

interface Runs {
  readonly rig: Rig
  /** Begins a run, in which the app is asleep. */
  readonly begin: () => Promise<ReturnType<Rig['pillion']>>
  /** Sends a request to the sidecar of the app. */
  readonly ask: (path: string, method?: string, body?: unknown) => Promise<number>
}

export async function openRuns(t: Test): Promise<Runs> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'app.mjs': APP, 'resources/pubsub.yaml': PUBSUB})
  const command = ['node', '../app.mjs']
  await rig.template(
    [
      {appID: 'desk', appDirPath: 'desk', autoPort: true, lazy: true, daprHTTPPort: port, command},
      {appID: 'other', appDirPath: 'other', command: ['sleep', '1000']}
    ],
    {resourcesPath: './resources'}
  )
  return {
    rig,
    begin: async () => {
      const run = rig.pillion(['run', '-f', '.'])
      await run.waitForLine('Started Dapr with app id "other"')
      return run
    },
    ask: async (path, method = 'POST', body = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {'content-type': 'application/json'},
        ...(method !== 'GET' && {body: JSON.stringify(body)})
      })
      await answer.text()
      return answer.status
    }
  }
}

/** Its process has said what starts it, and the run has ended. */
export async function firstRun({begin, ask}: Runs, work = async (): Promise<void> => Promise.resolve()): Promise<void> {
  const run = await begin()
  t.equal(await ask('/v1.0/invoke/desk/method/hello'), 200)
  await run.waitForLine('got POST /hello')
  while ((await ask('/v1.0/actors/Cart/1/method/known', 'PUT')) !== 200);
  await work()
  await run.end('SIGINT')
}
