import t from 'tap'
import {openShop} from '../e2e/replay-scene.ts'
import {freePorts} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

t.test('a window: calls between two apps keep their order; those that may change something stay out', async t => {
  const {rig, call, rows, numberOf, replay} = await openShop(t)
  for (const path of ['/a', '/b', '/c']) await call(path)
  await call('/orders', {method: 'POST', body: 'one'})
  await call('/d')
  const [first, last] = [await numberOf('path:/a'), await numberOf('path:/d')]
  const sent = await replay('--window', `${first}..${last}`, '--fast')
  t.same(
    sent.map(({path, after}) => [path, after?.status]),
    [
      ['/a', 200],
      ['/b', 200],
      ['/c', 200],
      ['/orders', undefined],
      ['/d', 200]
    ]
  )
  t.same(
    (await rows('is:replay')).map(({path}) => path),
    ['/a', '/b', '/c', '/d'],
    'in their order'
  )
  t.same(
    (await replay('--window', '5m', 'path:/b|/orders', '--unsafe')).map(({path, after}) => [path, after?.status]),
    [
      ['/b', 200],
      ['/orders', 200]
    ],
    'at their pace; replays are not in the window'
  )
  t.match(await rig.run(['replay', '--window', '5m', 'method:POST']), {code: 1, stdout: /POST may change data/})
})

t.test('--last-failed sends the latest call again that has failed', async t => {
  const {call, numberOf, replay} = await openShop(t)
  await call('/fail')
  await call('/items')
  t.match(await replay('--last-failed'), [
    {call: await numberOf('path:/fail !is:replay'), before: {status: 503}, after: {status: 503}}
  ])
})

const server = (handle: string): string =>
  `process.getBuiltinModule('node:http').createServer(async (request, response) => {${handle}}).listen(process.env.PORT)`

t.test('--last-failed sends the request at which the failure began, where apps pass on no trace', async t => {
  const [front, back] = await freePorts(2)
  const rig = await openRig(t)
  await rig.write({
    'front.mjs': server(`
      const {status} = await fetch('http://127.0.0.1:${back}' + request.url, {method: 'POST', body: 'inner'})
      response.writeHead(status).end()`),
    'back.mjs': server(`if (request.url === '/die') process.exit(3); response.end()`),
    'pillion.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'front', appDirPath: '.', port: front, command: ['node', 'front.mjs']},
        {appID: 'back', appDirPath: '.', port: back, command: ['node', 'back.mjs']}
      ]
    })
  })
  t.match(await rig.run(['up', '-d']), {code: 0})
  t.teardown(async () => rig.run(['down']))
  t.match(await fetch(`http://127.0.0.1:${front}/die`), {status: 502})
  t.match(await fetch(`http://127.0.0.1:${front}/order`), {status: 503})
  t.match(await rig.run(['restart', 'back']), {code: 0})
  t.match(await rig.run(['replay', '--last-failed']), {code: 0, stdout: /GET \/order, outside → front: 503 → 200/})
})
