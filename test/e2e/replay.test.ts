import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {agent} from '../long/mcp-agent.ts'
import {bodies, openShop} from './replay-scene.ts'

t.test('a call is sent again as it was, through the sidecar of its caller, and is a call of its own', async t => {
  const {rig, call, rows, numberOf, replay} = await openShop(t)
  await call('/items?id=7', {headers: {authorization: 'Bearer abc'}})
  const number = await numberOf('path:/items*')
  const [view] = await replay(number.toString())
  t.match(view, {
    call: number,
    from: 'shop',
    to: 'stock',
    method: 'GET',
    path: '/items?id=7',
    before: {status: 200, type: 'application/json'},
    after: {status: 200},
    refusal: ''
  })
  t.match(bodies(view), [
    {path: 'count', before: '1', after: '2'},
    {path: 'replay', before: '""', after: `"${number}"`}
  ])
  const [row] = await rows('is:replay')
  t.match(row, {number: view?.replay, from: 'shop', to: 'stock', path: '/items?id=7', status: 200, marks: ['replay']})
  const {stdout} = await rig.run(['calls', (view?.replay ?? 0).toString()])
  t.match(stdout, /Pillion-Replay: \d/)
  t.match(stdout, /authorization: <masked, 10 characters>/)
  t.match((await rig.run(['graph'])).stdout, /shop +stock +1 /, 'it does not count')
  const {stdout: text} = await rig.run(['replay', number.toString()])
  t.match(text, /^call \d+, GET \/items\?id=7, shop → stock: 200 again \(.*\), as call \d+\n[^]* {2}count: 1 → 3\n/)
})

t.test('a filter, as calls takes it, stands for the latest call that matches; a sent one is none', async t => {
  const {call, numberOf, replay, rig} = await openShop(t)
  await call('/items?id=7')
  await call('/items?id=8')
  await call('/other')
  const number = await numberOf('path:/items*')
  for (const _ of [1, 2])
    t.match(await replay('path:/items*', 'to:stock'), [{call: number, path: '/items?id=8', after: {status: 200}}])
  t.match(await replay('path:/items*', '--path', '/changed'), [{call: number, after: {status: 200}}])
  t.match(await rig.run(['replay', 'path:/nowhere']), {code: 1, stderr: /no call matches path:\/nowhere/})
  t.match(await rig.run(['replay', 'pth:/items']), {code: 1, stderr: /pth/})
})

t.test('what may change something is sent when somebody says so', async t => {
  const {rig, call, rows, numberOf, replay} = await openShop(t)
  await call('/orders', {method: 'POST', body: 'one'})
  const number = await numberOf('method:POST')
  t.match(await rig.run(['replay', number.toString()]), {
    code: 1,
    stdout: /^call \d+, POST \/orders, shop → stock: not sent: POST may change data\n {2}Add --unsafe to send it\./
  })
  t.equal(await call('/seen'), '1')
  t.match(await replay(number.toString(), '--unsafe'), [{after: {status: 200}, differences: [{path: 'count'}, {}]}])
  t.equal(await call('/seen'), '2')
  const [again] = await rows('is:replay')
  t.match((await rig.run(['calls', (again?.number ?? 0).toString()])).stdout, /"body":"one"/)
})

t.test('pinned calls are sent after each save; what differs each time is left out', async t => {
  const {rig, run, call, numberOf, replay, save} = await openShop(t)
  await call('/items')
  await call('/orders', {method: 'POST', body: 'one'})
  const number = await numberOf('path:/items')
  const post = await numberOf('method:POST')
  t.match((await rig.run(['replay', '--pin', number.toString()])).stdout, /is pinned: .* Ignored, .*: count\.\n/)
  t.match((await rig.run(['replay', '--pin', post.toString()])).stdout, /POST may change data: only pillion/)
  await save('2')
  await run.waitForLine(/pinned call \d+, GET \/items, shop → stock: 200, price differs.*stock\.mjs.*saved/)
  const pins = JSON.parse((await rig.run(['replay', '-o', 'json'])).stdout) as Api.Pins
  t.match(pins, {
    pins: [
      {
        call: number,
        noise: ['count'],
        results: [
          {},
          {replay: {differences: [{what: 'body', path: 'price', before: '1', after: '2'}], leftOut: ['count']}}
        ]
      },
      {call: post, noise: null, results: [{replay: {after: null, refusal: /POST may change data/}}]}
    ],
    rounds: [{kind: 'pinned'}, {kind: 'saved', app: 'stock', files: ['stock.mjs']}]
  })
  t.match((await rig.run(['replay'])).stdout, /shop → stock +GET \/items +200 +1 difference +\S+ stock: stock\.mjs/)
  t.match(await replay('--pinned', '--unsafe'), [
    {call: number, after: {status: 200}, leftOut: ['count']},
    {call: post, after: {status: 200}}
  ])
  t.match((await rig.run(['replay', '--unpin', 'all'])).stdout, /no call is pinned/)
})

t.test('replay sends another request: method, path, header and body, the rest as it was', async t => {
  const {rig, call, numberOf, replay} = await openShop(t)
  await call('/orders', {method: 'POST', body: 'one', headers: {authorization: 'Bearer abc', 'x-user': 'ada'}})
  const number = (await numberOf('method:POST')).toString()
  const [view] = await replay(number, '--unsafe', '--data', 'two', '--path', '/orders?by=hand', '--header', 'x-user:')
  t.match(view, {method: 'POST', path: '/orders?by=hand', after: {status: 200}})
  t.match(
    bodies(view).filter(({path}) => path === 'body'),
    [{before: '"one"', after: '"two"'}]
  )
  const sent = (await rig.run(['calls', String(view?.replay)])).stdout
  t.match(sent, /authorization: <masked/)
  t.notMatch(sent, /x-user/i)
  const [got] = await replay(number, '--unsafe', '--method', 'PUT')
  t.match(got, {method: 'PUT', after: {status: 200}})
  for (const [words, why] of [
    [[number, '--header', 'nothing'], /invalid argument "nothing" for "--header" flag/],
    [[number, number, '--data', 'x'], /change the request of one call/],
    [['--pinned', '--path', '/x'], /change the request of one call/]
  ] as const)
    t.match(await rig.run(['replay', ...words]), {code: 255, stderr: why})
})

t.test('a call by `invoke` comes from outside, not from the app; it can be sent again', async t => {
  const {rig, rows, numberOf, replay} = await openShop(t)
  const invoke = ['invoke', '--app-id', 'stock', '--verb', 'GET', '--method']
  t.match(await rig.run([...invoke, 'items']), {code: 0, stdout: '"count":1'})
  t.match(await rows('to:stock path:/items'), [{from: 'outside', to: 'stock', status: 200}])
  const number = String(await numberOf('from:outside'))
  t.match(await replay(number), [{before: {status: 200}, after: {status: 200}}])
  t.match(
    (await rig.run(['calls', number, '-o', 'curl'])).stdout,
    /127\.0\.0\.1:\d+\/v1\.0\/invoke\/stock\/method\/items/
  )
  t.match(await rows('from:outside'), [{path: '/items'}, {path: '/items'}])
  t.match(await rig.run([...invoke, 'die']), {code: 1})
  t.match(await rig.run(['why', 'stock']), {stdout: /while handling GET \/die from outside[^]*outside → stock/})
})

t.test('a sidecar that listens at another address is called there', async t => {
  const {rig, numberOf} = await openShop(t, {apiListenAddresses: '::1'})
  t.match(await rig.run(['invoke', '--app-id', 'stock', '--verb', 'GET', '--method', 'items']), {
    code: 0,
    stdout: '"count":1'
  })
  const number = String(await numberOf('to:stock path:/items'))
  t.match((await rig.run(['calls', number, '-o', 'curl'])).stdout, /http:\/\/\[::1\]:\d+\/v1/)
  const {call} = await agent(t, rig)
  t.match(await call('invoke', {app: 'stock', path: 'items'}), {facts: {status: 200}})
  t.match(await rig.run(['publish', '-i', 'stock', '-p', 'none', '-t', 'x', '-d', '{}']), {
    stdout: /http:\/\/\[::1\]:\d+/
  })
})
