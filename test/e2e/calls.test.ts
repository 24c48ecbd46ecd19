import type * as Api from '../../src/model/api.generated.ts'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {CALLEE} from './callee.ts'

t.test('calls lists what went between the apps, and shows one call with what was sent; secrets are masked', async t => {
  const rig = await openRig(t)
  await rig.write({
    'callee.mjs': CALLEE,
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
        {
          appID: 'stock',
          appDirPath: '.',
          autoPort: true,
          restart: 'on-failure',
          command: ['node', 'callee.mjs'],
          record: {mask: ['x-customer']}
        },
        {appID: 'quiet', appDirPath: '.', autoPort: true, record: false, command: ['node', 'callee.mjs']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  t.match(await rig.run(['calls']), {code: 0, stdout: /^No calls yet\./})
  const url = (id: string, path: string): string => `http://127.0.0.1:${http}/v1.0/invoke/${id}/method${path}`
  const following = rig.pillion(['calls', '-f', 'to:stock', 'is:failed'])
  const headers = {'content-type': 'application/json', authorization: 'Bearer abcdef', 'x-customer': 'Ada'}
  await (
    await fetch(url('stock', '/items?id=7&token=xyz'), {method: 'POST', headers, body: '{"apiKey":"k1", "n": 1}'})
  ).text()
  await (await fetch(url('quiet', '/items'))).text()
  await (await fetch(url('nobody', '/items'))).text()
  await (await fetch(url('stock', '/fail'))).text()
  await following.waitForLine(/ shop → stock +GET \/fail +503/)

  const rows = (await rig.run(['calls', '-o', 'ndjson'])).stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Api.Call)
  t.match(rows, [
    {
      number: 1,
      from: 'shop',
      to: 'stock',
      method: 'POST',
      path: '/items?id=7&token=<masked, 3 characters>',
      status: 200,
      isFailed: false,
      requestBytes: 23,
      attempts: 1,
      isOpen: false
    },
    {
      number: 2,
      to: 'nobody',
      status: 500,
      isFailed: true,
      failure: /couldn't find service: nobody/,
      attempts: 0,
      marks: ['ours']
    },
    {number: 3, to: 'stock', path: '/fail', status: 503, isFailed: true, marks: []}
  ])
  t.equal(rows.length, 3, 'record: false leaves calls out')
  t.ok((rows[0]?.pid ?? 0) > 0)
  t.ok((rows[0]?.totalMs ?? 0) >= (rows[0]?.firstByteMs ?? Infinity))

  const one = JSON.parse((await rig.run(['calls', '1', '-o', 'ndjson'])).stdout) as Api.CallDetail
  t.match(one, {
    request: {line: /^POST \/v1\.0\/invoke\/stock\/method\/items/, body: '{"apiKey":"<masked, 2 characters>","n":1}'},
    response: {line: 'HTTP/1.1 200 OK'}
  })
  const values = new Map(one.request.headers.map(([name, value]) => [name.toLowerCase(), value]))
  t.equal(values.get('authorization'), '<masked, 13 characters>')
  t.equal(values.get('x-customer'), '<masked, 3 characters>')
  t.equal(values.get('content-type'), 'application/json')
  t.match(one.response.headers, [
    ['content-type', 'application/json'],
    ['set-cookie', '<masked, 5 characters>']
  ])
  t.match(one.response.body, /"password":"<masked, 9 characters>"/)
  t.notMatch(JSON.stringify(one), /swordfish|abcdef|Ada|xyz/)

  const text = await rig.run(['calls', '1'])
  t.match(text.stdout, /^call 1 {2}POST \/items\?id=7/)
  t.match(text.stdout, /\n> content-type: application\/json\n/)
  t.match(text.stdout, /\n< HTTP\/1\.1 200 OK\n/)

  t.match(
    (await rig.run(['calls', 'status:5xx', '-n', '1'])).stdout,
    /^CALL .*\n +3 .* shop → stock +GET \/fail +503 ✕/
  )
  t.match((await rig.run(['calls', '!to:stock', '-o', 'ndjson'])).stdout, /^[^\n]*"to":"nobody"[^\n]*\n$/)
  const hence = new Date().toISOString()
  t.equal((await rig.run(['calls', `since:${hence}`, '-o', 'ndjson'])).stdout, '')
  t.match((await rig.run(['calls', `until:${hence}`, 'to:nobody', '-o', 'ndjson'])).stdout, /^[^\n]*"to":"nobody"/)
  t.match(
    (await rig.run(['calls', 'body:swordfish', 'path:/items*', '-o', 'ndjson'])).stdout,
    /^[^\n]*"number":1,[^\n]*\n$/
  )
  // a shell takes the quotes of `header:"content-type: application/json"` away
  for (const word of [
    'header:content-type: application/json',
    'body:{"got":"{',
    'body:{"apiKey":"k1", "n": 1}',
    'body:"n": 1',
    'to:stock path:/items*',
    'body:"n" to:stock',
    'body:"n" items',
    'body:none|"n" items'
  ])
    t.match((await rig.run(['calls', word, '-o', 'ndjson'])).stdout, /^[^\n]*"number":1,/, word)
})

t.test('calls -f misses no call between the list and what follows, and shows none twice', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const call = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/nobody/method/${path}`)).text()
  await call('first')
  const following = rig.pillion(['calls', '-f', '-n', '10000', '-o', 'ndjson'])
  const shown = following.waitForLine(/"number":/).then(() => true)
  do await call('meanwhile')
  while (!(await Promise.race([shown, Promise.resolve(false)])))
  await call('last')
  await following.waitForLine(/"path":"\/last"/)
  const calls = following.stdout.lines.filter(line => line !== '').map(line => JSON.parse(line) as Api.Call)
  // one that was under way when the list was made is shown so, and once more when it ends
  const numbers = calls.filter(({isOpen}) => !isOpen).map(({number}) => number)
  t.ok(numbers.length > 2)
  t.strictSame(
    numbers,
    numbers.map((_, index) => index + 1)
  )
})

t.test('run --no-record keeps nothing', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.', '--no-record'])
  const {http} = await run.ports('shop')
  await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/nobody/method/x`)).text()
  t.match((await rig.run(['calls'])).stdout, /^No calls yet\./)
})

t.test('a call that waits for an app to start is shown under way, with what it waits for', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', autoPort: true},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const [stock] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  const answer = fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/x`)
  const shown = await rig.until(['calls', 'is:open', '-o', 'ndjson'], '"number":1')
  t.match(JSON.parse(shown), {isOpen: true, status: 0, waitedFor: [/stock/], marks: []})
  await Promise.all([stock.listen(), stock.answer({body: 'here'})])
  await (await answer).text()
  t.match(JSON.parse((await rig.run(['calls', '-o', 'ndjson'])).stdout), {
    isOpen: false,
    status: 200,
    waitedFor: [/stock/]
  })
})

t.test('a message that is delivered is shown as coming from its topic', async t => {
  const rig = await openRig(t)
  await rig.write({
    'reader.mjs': `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  request.resume().on('end', () => {
    const topics = [{pubsubname: 'orders', topic: 'new', route: '/taken'}]
    response.setHeader('content-type', 'application/json')
    response.end(request.url === '/dapr/subscribe' ? JSON.stringify(topics) : '{}')
  })
}).listen(process.env.APP_PORT)
`,
    'resources/orders.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: orders}\nspec: {type: pubsub.in-memory, version: v1}\n',
    'dapr.yaml': JSON.stringify({
      version: 1,
      common: {resourcesPath: './resources'},
      apps: [{appID: 'reader', appDirPath: '.', autoPort: true, command: ['node', 'reader.mjs']}]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('reader')
  const following = rig.pillion(['calls', '-f', 'from:orders/new'])
  const publish = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${http}/v1.0/publish/orders/new`, {method: 'POST', body: 'pen'})
    return response.status
  }
  // nobody may have subscribed yet, and who follows sees later calls only
  while (!following.stdout.text.includes('/taken')) {
    t.equal(await publish(), 204)
    await pause(200)
  }
  const rows = await rig.until(['calls', 'from:orders/new', '-o', 'ndjson'], '"path":"/taken"')
  t.match(JSON.parse(rows.split('\n')[0] ?? ''), {
    from: 'orders/new',
    to: 'reader',
    method: 'POST',
    status: 200,
    marks: ['own']
  })
  await following.waitForLine(/ orders\/new → reader +POST \/taken +200/)
})
