import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import type {RequestTree, TreeNode} from '../../src/model/api.generated.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {component} from '../rig/resource-files.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {installed, type Package} from './installed.ts'

/** The agent of Node, which instruments what an app loads, and what the app below loads. */
const otelForNode: Package = {
  name: 'opentelemetry-node',
  version: '0.82.0',
  install: folder => [
    [
      'npm',
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '@opentelemetry/auto-instrumentations-node@0.82.0',
      '@opentelemetry/api',
      'express@5',
      'ioredis@5'
    ]
  ]
}

/** An app that knows nothing of OpenTelemetry. */
const APP = `
const {createRequire} = require('node:module')
const load = createRequire(process.env.PACKAGES + '/x.js')
const redis = new (load('ioredis'))(Number(process.env.REDIS_PORT), '127.0.0.1', {maxRetriesPerRequest: 1, enableReadyCheck: false})
redis.on('error', () => {})
const sidecar = 'http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0/'
const app = load('express')()
app.get('/orders/:id', async (request, response) => {
  const answer = await fetch(sidecar + 'invoke/stock/method/items/' + request.params.id)
  response.status(answer.ok ? 200 : 502).send(await answer.text())
})
app.get('/items/:id', async (request, response) => {
  await redis.set('item', request.params.id)
  await (await fetch(sidecar + 'state/store/x')).text()
  if (request.params.id === '13') throw new Error('no item 13')
  response.send('ok')
})
app.listen(process.env.APP_PORT, () => console.log('listening'))
`

t.test('Node: an unmodified app with the agent shows its statements, its exception, and each call once', async t => {
  const packages = await installed(t, otelForNode)
  if (packages === undefined) return
  const rig = await openRig(t)
  const redis = await freePort()
  await rig.write({
    'app.cjs': APP,
    'components/store.yaml': component('store', 'state.redis', {redisHost: `127.0.0.1:${redis}`})
  })
  const agent = `${packages}/node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs`
  const app = {
    appDirPath: '.',
    autoPort: true,
    resourcesPath: 'components',
    command: ['node', '--require', agent, 'app.cjs'],
    env: {PACKAGES: packages, REDIS_PORT: `${redis}`}
  }
  await rig.template([
    {appID: 'user', appDirPath: '.', command: ['sleep', '1000']},
    {appID: 'shop', ...app},
    {appID: 'stock', ...app}
  ])
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: 2})
  const {http} = await run.ports('user')
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/orders/13`)
  const treeOf = async (): Promise<readonly TreeNode[]> => {
    const {json} = await ask(controlSocket(rig), '/api/v1/trace?q=to:shop')
    return (json as RequestTree).nodes
  }
  /** Spans come half a second later, in several batches. */
  let nodes = await treeOf()
  while (
    nodes.filter(({kind, spans}) => kind === 'call' && spans.some(({kind: side}) => side === 'server')).length < 2
  ) {
    await pause(100)
    nodes = await treeOf()
  }
  const calls = nodes.filter(({kind}) => kind === 'call')
  t.strictSame(
    calls.map(({what, spans}) => [what, spans.map(({app: from, kind}) => `${from} ${kind}`)]),
    [
      ['GET /orders/13', ['shop server']],
      ['GET /items/13', ['shop client', 'stock server']]
    ]
  )
  t.ok(
    nodes.some(({kind, what}) => kind === 'span' && what.startsWith('set item')),
    'the statement of Redis'
  )
  t.equal(nodes.filter(({failure}) => failure === 'Error: no item 13').length, 1, 'the exception once')
  t.match(nodes.find(({kind}) => kind === 'component')?.spans, [{app: 'stock', kind: 'client'}])
})
