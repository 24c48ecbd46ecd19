// Secrets come in wherever one can, and nothing that a run shows has one of them. `unit/exits` compares routes, tools and commands with those that
// the program has: one that is new fails there until it is said what it is asked, or why it masks nothing.
import {readdirSync} from 'node:fs'
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import t, {type Test} from 'tap'
import {callTool} from '../../src/clients/mcp/serve.ts'
import {TOOLS} from '../../src/clients/mcp/tools/tools.ts'
import {findRuns} from '../../src/control/client.ts'
import {loadTemplate} from '../../src/files/config/load.ts'
import type * as Api from '../../src/model/api.generated.ts'
import {Run} from '../../src/run/run.ts'
import {ask, open} from '../rig/control-socket.ts'
import {routes, tools} from '../rig/exits.ts'
import {limitAlone} from '../rig/limit.ts'
import {secretShop, type SecretShop} from '../rig/secret-shop.ts'
import {ShownSecrets} from '../rig/shown-secrets.ts'
import {untrackChildren} from '../rig/untracked.ts'

untrackChildren()
await limitAlone()

/**
 * What is not masked on purpose: Dapr shows the command among the lines of a start, and paths in the API log and in metrics; a mistake in a file
 * is shown on the terminal with its line.
 */
const ON_PURPOSE = {
  'event warned': ['the password of a binding that is wrong'],
  metrics: ['a path'],
  'sidecar log': ['a URL among the arguments', 'a path', 'an argument', 'an argument of its own']
}

const socketIn = (runtime: string): string => {
  const [name = ''] = readdirSync(runtime).filter(each => !each.startsWith('.'))
  return join(runtime, name, 'socket')
}

interface Scene {
  readonly shop: SecretShop
  readonly shown: ShownSecrets
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly run: Run
  readonly api: (path: string, body?: object, method?: string) => Promise<string>
}

async function openScene(t: Test): Promise<Scene> {
  const folder = await mkdtemp('/tmp/run-') // short, because paths of sockets are
  t.teardown(async () => rm(folder, {recursive: true, maxRetries: 20}))
  const runtime = join(folder, 'runtime')
  await mkdir(runtime, {mode: 0o700})
  const shop = await secretShop()
  for (const [path, text] of Object.entries(shop.files)) {
    await mkdir(dirname(join(folder, path)), {recursive: true})
    await writeFile(join(folder, path), text)
  }
  const env = {
    ...shop.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    XDG_STATE_HOME: join(folder, 'kept'),
    PILLION_NAMES: '0',
    PILLION_RUNTIME_DIR: runtime
  }
  const shown = new ShownSecrets(shop.canaries)
  const around = {cwd: folder, home: folder, env, readStdin: () => ''}
  const {plan} = await loadTemplate('.', around, {watch: false})
  const run = new Run({
    plan,
    env,
    form: {kind: 'template', prefixOf: () => undefined},
    output: {
      write: text => {
        shown.add('console', text)
        return undefined
      },
      midLine: false
    },
    isTerminal: false,
    emit: event =>
      shown.add(
        `event ${event.type}`,
        JSON.stringify(event, (key, value: unknown) => (key === 'app' ? undefined : value))
      )
  })
  await run.start()
  t.teardown(async () => {
    run.stopNow()
    await run.ended
  })
  const socket = socketIn(runtime)
  const api = async (path: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<string> =>
    (await ask(socket, `/api/v1${path}`, {method, body: body === undefined ? '' : JSON.stringify(body)})).body
  return {shop, shown, folder, env, run, api}
}

const isChange = (route: string): boolean => /(?:purge|delete|stop|start|debug|restart|skip)$/.test(route)

t.test('no exit shows a secret', async t => {
  const {shop, shown, folder, env, run, api} = await openScene(t)
  for (const path of ['events', 'calls?follow']) {
    const response = await open(socketIn(env['PILLION_RUNTIME_DIR'] ?? ''), `/api/v1/${path}`)
    t.teardown(() => response.destroy())
    response.setEncoding('utf8').on('data', (text: string) => shown.add(`followed ${path}`, text))
  }
  await api('/wait', {for: ['ready'], timeout: '60s'})
  const {apps} = JSON.parse(await api('/apps')) as Api.Apps
  const launch = JSON.parse(await api('/apps/stock/launch')) as Api.Launch
  const body = shop.spans
  const spans = `${launch.environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''}/v1/traces`
  t.equal((await fetch(spans, {method: 'POST', headers: {'content-type': 'application/json'}, body})).status, 200)
  await shop.send(apps.find(({id}) => id === 'shop') ?? {httpPort: 0, grpcPort: 0})
  await api('/wait', {for: ['exit:shop', 'ready'], timeout: '60s'})

  const {calls} = JSON.parse(await api('/calls?limit=1000')) as Api.Calls
  const numbers = calls.map(({number}) => number)
  const again = calls.filter(({to, path}) => to === 'stock' && !path.includes('die')).map(({number}) => number)
  t.ok(numbers.length >= 25)

  const byRoute = routes(numbers, again, shop.payload)
  const askRoutes = async (isMeant: (route: string) => boolean): Promise<void> => {
    for (const [route, asked] of Object.entries(byRoute)) {
      if (!isMeant(route) || typeof asked === 'string') continue
      const [method] = route.split(' ', 1)
      for (const each of asked) {
        const [path, given] = typeof each === 'string' ? [each] : each
        shown.add(route, await api(path, given, method))
      }
    }
  }
  await askRoutes(route => !isChange(route))

  const [found] = await findRuns(env)
  if (found === undefined) throw new Error('the run does not answer')
  const byTool = tools(numbers, again)
  for (const tool of TOOLS) {
    const asked = byTool[tool.name] ?? ''
    if (typeof asked === 'string') continue
    for (const given of asked) {
      const answer = await callTool(tool, given, {
        host: {
          find: async () => Promise.resolve(found),
          names: async () => Promise.resolve([]),
          command: async () => Promise.resolve({code: 1, stdout: '', stderr: ''})
        },
        signal: AbortSignal.timeout(60_000)
      })
      shown.add(`tool ${tool.name}`, JSON.stringify(answer))
    }
  }

  const metrics = `http://127.0.0.1:${launch.environment['DAPR_METRICS_PORT'] ?? ''}/metrics`
  shown.add('metrics', await (await fetch(metrics)).text())
  const isOwn = (path: string): boolean => path in shop.files || /_app_\d+\.log$|\.db(?:-\w+)?$/.test(path)
  shown.addFiles(folder, isOwn)
  await askRoutes(isChange)
  run.stop()
  await run.ended
  shown.addFiles(folder, isOwn)
  t.strictSame(shown.all, ON_PURPOSE)
})
