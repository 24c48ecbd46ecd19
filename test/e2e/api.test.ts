import t from 'tap'
import {API, misfit} from '../rig/api-schema.ts'
import {ask, controlSocket, open} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

const SAYING = `
const http = process.getBuiltinModule('node:http')
console.log('\\x1b[32mHello\\x1b[0m Grüße')
console.error('a warning')
http.createServer((request, response) => {
  if (request.url === '/say') console.log('said')
  if (request.url === '/die') process.exit(3)
  response.end('{}')
}).listen(process.env.APP_PORT)
`

t.test('every answer of the API is as its description says', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': SAYING})
  await rig.template([
    {
      appID: 'shop',
      appDirPath: '.',
      autoPort: true,
      command: ['node', 'app.mjs'],
      env: {SHOP_TOKEN: 'abc', PLAIN: 'x'}
    },
    {appID: 'stock', appDirPath: '.', autoPort: true, dependsOn: ['shop'], command: ['node', 'app.mjs']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('stock')
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/say?token=abc`, {method: 'POST', body: '{"n":1}'})
  const socket = controlSocket(rig)
  const seen = new Set<string>()
  const get = async (path: string, schema: string): Promise<unknown> => {
    const {status, type, json} = await ask(socket, `/api/v1${path}`)
    t.match({status, type}, {status: 200, type: /json/}, path)
    t.equal(misfit(schema, json), '', `${path} is a ${schema}`)
    seen.add(
      path
        .replace(/\?.*/, '')
        .replace(/^\/calls\/\d+$/, '/calls/{number}')
        .replace(/^\/apps\/[^/]+/, '/apps/{id}')
        .replace(/^\/deaths\/1$/, '/deaths/{number}')
    )
    return json
  }
  const {apps} = (await get('/run', 'Run')) as {apps: {id: string; pid: number}[]}
  t.same(
    apps.map(({id}) => id),
    ['shop', 'stock']
  )
  await get('/apps', 'Apps')
  t.match(await get('/apps/stock', 'Apps'), {apps: [{id: 'stock', instance: 1}]})
  t.match(await get('/apps/shop.1', 'Apps'), {
    apps: [{id: 'shop', isReady: true, exitCode: null, recent: {calls: 1, failed: 0}}]
  })
  t.match(await get('/calls', 'Calls'), {last: 1, calls: [{from: 'stock', to: 'shop'}]})
  await get('/calls/1', 'CallDetail')
  t.match(await get('/trace?q=1', 'RequestTree'), {asked: 1, nodes: [{id: 1, depth: 0, link: null}]})
  await get('/edges', 'Edges')
  t.match(await get('/apps/shop/docs', 'AppDocs'), {path: ''})
  const pids = apps.map(({pid}) => pid)
  const {groups} = (await get('/usage', 'Usage')) as {groups: {pid: number; memoryBytes: number}[]}
  t.same(new Set(groups.map(({pid}) => pid)), new Set(pids))
  t.ok(groups.every(({memoryBytes}) => memoryBytes > 1_000_000))
  const {apps: callees} = (await get('/traffic', 'Traffic')) as {apps: {app: string; calls: number[]}[]}
  t.match(callees, [{app: 'shop'}])
  t.equal(
    callees[0]?.calls.reduce((sum, calls) => sum + calls),
    1
  )
  await get('/graph', 'Graph')
  await get('/requests', 'Requests')
  await get('/troubles', 'Troubles')
  const {pid} = (await get('/run', 'Run')) as {pid: number}
  t.match(await get('/copies', 'Copies'), {
    copies: [{folder: rig.folder, state: 'running', branch: '', isThis: true, pid}]
  })
  t.match(await ask(socket, `/api/v1/copies/${pid}/dashboard`, {method: 'POST'}), {
    status: 404,
    body: /No other copy runs/
  })
  seen.add('/copies/{number}/dashboard') // its answer by api-copies.test.ts
  await get('/template', 'Template')
  for (const [format, type] of [
    ['har', 'application/json'],
    ['curl', 'text/plain; charset=utf-8']
  ] as const)
    t.match(await ask(socket, `/api/v1/calls.${format}?number=1`), {status: 200, type, body: /shop/})
  seen.add('/calls.{format}')

  const {body} = await ask(socket, '/api/v1/openapi.json')
  t.same(JSON.parse(body), API, 'its own description is served')
  seen.add('/openapi.json')

  for (const [action, states] of [
    ['restart', ['starting', 'running']],
    ['stop', ['stopped']],
    ['start', ['starting', 'running']]
  ] as const) {
    const {status, json} = await ask(socket, `/api/v1/apps/stock/${action}`, {method: 'POST'})
    t.equal(status, 200, action)
    t.equal(misfit('Apps', json), '')
    const [app] = (json as {apps: {state: string; pid: number}[]}).apps
    t.ok((states as readonly string[]).includes(app?.state ?? ''), `${action}: ${app?.state ?? ''}`)
    seen.add(`/apps/{id}/${action}`)
  }

  const text = await ask(socket, '/api/v1/apps/shop/logs')
  t.match(text, {status: 200, type: 'text/plain; charset=utf-8', body: /^Hello Grüße$/m})
  const lines = await ask(socket, '/api/v1/apps/shop/logs?grep=GR%C3%9CSSE', {
    headers: {accept: 'application/x-ndjson'}
  })
  t.equal(lines.body, '', 'no such line')
  const found = await ask(socket, '/api/v1/apps/shop/logs?grep=gr%C3%BC', {headers: {accept: 'application/x-ndjson'}})
  t.equal(misfit('Line', JSON.parse(found.body)), '')
  t.match(JSON.parse(found.body), {
    app: 'shop',
    stream: 'stdout',
    line: 'Hello Grüße',
    coloured: '\x1b[32mHello\x1b[0m Grüße'
  })
  const followed = await open(socket, '/api/v1/apps/shop/logs?follow&tail=0')
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/say`)
  const [first] = (await followed.setEncoding('utf8').take(1).toArray()) as string[]
  t.equal(first, 'said\n', 'new lines are sent as they come')
  followed.destroy()
  seen.add('/apps/{id}/logs')
  const all = await ask(socket, '/api/v1/logs?app=shop&app=stock&tail=1000', {
    headers: {accept: 'application/x-ndjson'}
  })
  for (const json of all.body.trim().split('\n')) t.equal(misfit('Line', JSON.parse(json)), '')
  t.match((await ask(socket, '/api/v1/logs?grep=said')).body, /^(?:said\n)+$/)
  for (let n = 0; n < 3; n++) await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/say`)
  const some = async (query: string): Promise<readonly object[]> => {
    const {body} = await ask(socket, `/api/v1/logs?grep=said&${query}`, {headers: {accept: 'application/x-ndjson'}})
    return body
      .trim()
      .split('\n')
      .map(json => JSON.parse(json) as object)
  }
  let whole = await some('limit=500')
  while (whole.length < 4) whole = await some('limit=500')
  const [later, latest, left] = await some('limit=2')
  t.match([later, latest], whole.slice(-2), 'the latest lines that match')
  t.equal(misfit('LinesLeft', left), '')
  t.match(left, {left: 2, skip: 2})
  t.match(await some('limit=2&skip=2'), whole.slice(0, 2))
  t.match(await ask(socket, '/api/v1/logs?level=loud'), {status: 400})
  t.equal((await ask(socket, '/api/v1/logs?level=error&stream=stdout')).body, '', 'no error was written')
  t.match((await ask(socket, '/api/v1/logs?stream=stdout&grep=said&limit=1')).body, /^said\n… \d+ lines more\n$/)
  seen.add('/logs')
  await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/die`)).text()
  const why = await get('/apps/shop/why', 'Why')
  t.match(why, {app: 'shop', death: {number: 1, inside: [{to: 'shop', path: '/die'}]}})
  await get('/deaths/1', 'Death')
  t.match(await get('/apps/shop/deaths', 'Deaths'), {deaths: [{number: 1, inside: 1}]})
  t.same(await get('/apps/stock/deaths', 'Deaths'), {deaths: []})
  const environment = (await get('/apps/shop/environment', 'Environment')) as {variables: [string, string][]}
  t.match(environment, {command: ['node', 'app.mjs'], folder: rig.folder})
  t.match(Object.fromEntries(environment.variables), {SHOP_TOKEN: '<masked, 3 characters>', PLAIN: 'x', APP_ID: 'shop'})
  const post = async (path: string, body: object, schema: string): Promise<unknown> => {
    const {status, json, body: text} = await ask(socket, `/api/v1${path}`, {method: 'POST', body: JSON.stringify(body)})
    t.strictSame([status, misfit(schema, json)], [200, ''], text)
    seen.add(path.replace('/suspend', '/{action}'))
    return json
  }
  const started = {app: 'shop', id: 'o-1', name: 'order', status: 'PENDING', workers: 0}
  t.match(await post('/workflows', {app: 'shop', id: 'o-1', name: 'order', input: {item: 'pen'}}, 'Workflow'), started)
  t.match(await get('/workflows', 'Workflows'), {workflows: [started], next: null})
  t.match(await get('/workflow?id=o-1', 'WorkflowDetail'), {id: 'o-1'})
  await get('/workflow/history?id=o-1', 'WorkflowHistory')
  t.match(await get('/workflow/timeline?id=o-1', 'WorkflowTimeline'), {missing: ['shop']})
  await post('/workflow/suspend', {id: 'o-1'}, 'Workflow')
  seen.add('/workflows/replay') // by sdks/workflow-verbs.test.ts: it takes a worker
  await post('/skip', {ms: 1000}, 'Skipped')
  t.match(await post('/workflows/purge', {ids: ['o-1'], force: true}, 'WorkflowsPurged'), {count: 1})
  seen.add('/events') // by events.test.ts
  const scheduled = /^\/(?:jobs?|scheduled|actors?|reminders?)(?:\/|$)/ // by api-scheduled.test.ts
  for (const path of Object.keys(API.paths).filter(path => scheduled.test(path))) seen.add(path)
  for (const path of ['/calls/{number}/replay', '/replays', '/pins', '/pins/{number}']) seen.add(path) // by replay-api.test.ts
  const waited = await ask(socket, '/api/v1/wait', {method: 'POST', body: '{"for": ["ready:stock"], "timeout": "1s"}'})
  t.strictSame([waited.status, misfit('Waited', waited.json)], [200, ''], waited.body)
  seen.add('/wait')
  t.match(await ask(socket, '/api/v1/wait'), {status: 405})
  for (const [body, detail] of [
    ['[]', /not a JSON object/],
    ['{"for": []}', /"for" is wrong.*one to 100 conditions/],
    ['{"for": ["ready"], "timout": "1s"}', /no key "timout".*Did you mean timeout/],
    ['{"for": ["ready"], "timeout": 5}', /"timeout" is wrong/],
    ['{"for": [7]}', /"for" is wrong/],
    ['{"for": "ready", "from": -1}', /"from" is wrong/],
    ['{"for": "ready", "any": 1}', /"any" is wrong/],
    ['{"for": "nothing"}', /"nothing" is not a condition/]
  ] as const) {
    const {status, json} = await ask(socket, '/api/v1/wait', {method: 'POST', body})
    const problem = json as {detail: string; hint: string}
    t.match(`${status} ${problem.detail}: ${problem.hint}`, detail, body)
  }
  const added = await ask(socket, '/api/v1/faults', {
    method: 'POST',
    body: '{"from":"shop","to":"stock","delay":"1ms"}'
  })
  t.strictSame([added.status, misfit('Faults', added.json)], [200, ''])
  t.match(await get('/faults', 'Faults'), {faults: [{number: 1, delayMs: 1, kind: 'none'}], removed: 0})
  for (const [path, isEnabled] of [
    ['/faults/1/disable', false],
    ['/faults/enable', true],
    ['/faults/disable', false]
  ] as const) {
    const switched = await ask(socket, `/api/v1${path}`, {method: 'POST'})
    t.strictSame([switched.status, misfit('Faults', switched.json)], [200, ''])
    t.match(switched.json, {faults: [{number: 1, isEnabled}]}, path)
  }
  for (const path of ['/faults/{number}/{verb}', '/faults/disable', '/faults/enable']) seen.add(path)
  t.match(await ask(socket, '/api/v1/faults/7/enable', {method: 'POST'}), {status: 404, body: /There are: 1/})
  t.match(await ask(socket, '/api/v1/faults/1/enable'), {status: 405})
  const removed = await ask(socket, '/api/v1/faults/1', {method: 'DELETE'})
  t.strictSame([removed.status, misfit('Faults', removed.json)], [200, ''])
  seen.add('/faults/{number}')
  t.match(await ask(socket, '/api/v1/faults/1', {method: 'DELETE'}), {status: 404})
  t.match(await ask(socket, '/api/v1/faults', {method: 'POST', body: '[]'}), {status: 400, body: /not a JSON object/})
  const unknown = await ask(socket, '/api/v1/faults', {method: 'POST', body: '{"from":"shop","statsu":503}'})
  t.match(unknown, {status: 400, body: /a fault has no key .*did you mean status/})
  const large = {method: 'POST', body: '{"from":"shop","to":"stock","status":9007199254740993}'}
  t.match(await ask(socket, '/api/v1/faults', large), {status: 400, body: /wrong status: .*9007199254740993/})
  t.match(await ask(socket, '/api/v1/faults', {method: 'PUT', body: '{}'}), {status: 405})
  const one = {method: 'POST', body: '{"from":"shop","to":"stock","delay":"1ms","times":1}'}
  for (let n = 0; n < 100; n++) t.equal((await ask(socket, '/api/v1/faults', one)).status, 200)
  t.match(await ask(socket, '/api/v1/faults', one), {status: 409, body: /100 faults already exist/})
  t.match(await ask(socket, '/api/v1/faults', {method: 'DELETE'}), {status: 200, json: {removed: 100}})
  t.match(await get('/apps/shop/launch', 'Launch'), {environment: {SHOP_TOKEN: 'abc'}, command: ['node', 'app.mjs']})
  for (const method of ['GET', 'POST'])
    t.match(await ask(socket, '/api/v1/apps/shop/terminal', {method}), {status: 409, body: /has no terminal/})
  seen.add('/apps/{id}/terminal') // answers by long/attach.test.ts: they take an app with a terminal
  t.match(await get('/services', 'Services'), {services: []})
  t.same(await get('/notifications', 'Notifications'), {})
  for (const [method, path] of [
    ['POST', '/services/nobody/1.0.0/assign'],
    ['DELETE', '/services/nobody/1.0.0']
  ] as const)
    t.match(await ask(socket, `/api/v1${path}`, {method}), {status: 409, body: /nobody/})
  t.match(await ask(socket, '/api/v1/redis/6379', {method: 'DELETE'}), {status: 404, body: /holds no Redis/})
  const lent = await open(socket, '/api/v1/apps/stock/sidecar')
  const [loan = ''] = (await lent.setEncoding('utf8').take(1).toArray()) as string[]
  t.equal(misfit('Loan', JSON.parse(loan)), '')
  lent.destroy()
  const none = await ask(socket, '/api/v1/apps/nobody/sidecar')
  t.strictSame(JSON.parse(none.body), {running: ['shop', 'stock'], isStopped: false})
  t.equal(misfit('Loan', JSON.parse(none.body)), '')
  for (const path of ['/services/{name}/{version}', '/services/{name}/{version}/assign', '/redis/{number}'])
    seen.add(path)
  const dashboard = await ask(socket, '/api/v1/dashboard', {method: 'POST'})
  t.equal(misfit('Dashboard', dashboard.json), '')
  const {port, token} = dashboard.json as {port: number; token: string}
  for (const [path, methods] of Object.entries(API.paths))
    for (const [method, operation] of Object.entries(methods)) {
      if ((operation as {readonly 'x-socket'?: boolean})['x-socket'] !== true) continue
      const url = `http://127.0.0.1:${port}/api/v1${path.replaceAll(/\{\w+\}/g, '1')}`
      const {status} = await fetch(url, {method, headers: {authorization: `Bearer ${token}`}})
      t.equal(status, 403, `${method} ${path} is not for pages`)
    }
  seen.add('/dashboard')
  t.strictSame(await post('/show', {kind: 'end'}, 'Shown'), {ports: {}})
  const debugged = await ask(socket, '/api/v1/apps/stock/debug', {method: 'POST'})
  t.strictSame([debugged.status, misfit('Apps', debugged.json)], [200, ''])
  const stopping = await ask(socket, '/api/v1/stop', {method: 'POST'}).catch(() => undefined)
  t.match(stopping ?? {status: 200}, {status: 200})
  t.match(await run.exited, {code: 0}, 'its answer ends with the run')
  for (const path of ['/apps/{id}/sidecar', '/apps/{id}/debug', '/stop']) seen.add(path)
  t.same([...seen].toSorted(), Object.keys(API.paths).toSorted(), 'everything that is described was asked for')
})

t.test('a request that cannot be answered gets a problem that says what to do', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  const socket = controlSocket(rig)
  const refused: readonly (readonly [method: string, path: string, status: number, detail: RegExp, hint: RegExp])[] = [
    ['GET', '/nothing', 404, /^there is no \/nothing$/, /openapi\.json/],
    ['GET', '/apps/shpo', 404, /^the run has no app "shpo"$/, /^Did you mean "shop"\?$/],
    ['POST', '/apps/zzz/restart', 404, /no app "zzz"/, /^It has: shop\.$/],
    ['GET', '/apps/shop@9.9.9', 404, /no version 9\.9\.9 of "shop"/, /It has/],
    ['POST', '/apps/shop@0.0.0/stop', 400, /all versions/, /Leave out @0\.0\.0/],
    ['GET', '/apps/shop/restart', 405, /GET is not possible here/, /Use POST/],
    ['DELETE', '/apps/shop', 405, /DELETE is not possible here/, /Use GET/],
    ['GET', '/apps/%zz', 400, /not an app name/, /RFC 3986/],
    ['POST', '/apps/../stop', 404, /^the run has no app "\.\."$/, /It has/],
    ['GET', '/apps/%2e%2E/logs', 404, /no app "\.\."/, /It has/],
    ['DELETE', '/faults/.', 404, /there is no \/faults\/\.$/, /a number/],
    ['GET', '/apps/shop.1/why', 200, /^$/, /^$/],
    ['GET', '/apps/__proto__', 404, /no app "__proto__"/, /It has/],
    ['POST', '/apps/shop/explode', 404, /there is no \/apps\/shop\/explode/, /openapi/],
    ['POST', '/apps/shop/start', 200, /^$/, /^$/],
    ['GET', '/apps/shop/logs?tail=many', 400, /tail=many is not a number/, /tail=100/],
    ['GET', '/apps/shop/logs?since=soon', 400, /since=soon is not a time/, /ISO 8601/],
    ['GET', '/logs?app=shop&app=zzz', 404, /no app "zzz"/, /It has/],
    ['GET', '/apps/zzz/logs', 404, /no app "zzz"/, /It has/],
    ['GET', '/calls/7', 404, /no call 7/, /pillion calls/],
    ['GET', '/calls.har?number=7', 404, /no call 7/, /pillion calls/],
    ['GET', '/calls.har?number=x', 400, /number=x is not a number/, /number=7/],
    ['GET', '/calls.har?limit=x', 400, /limit=x is not a number/, /limit=/],
    ['GET', '/calls.pcap', 404, /no \/calls\.pcap/, /har or curl/],
    ['POST', '/calls.har', 405, /POST is not possible here/, /Use GET/],
    ['POST', '/calls/7/replay', 404, /no call 7/, /pillion calls/],
    ['GET', '/calls/7/replay', 405, /GET is not possible here/, /Use POST/],
    ['POST', '/replays', 400, /not a JSON object/, /"calls"/],
    ['POST', '/pins', 400, /not a JSON object/, /"call"/],
    ['DELETE', '/pins/7', 404, /call 7 is not pinned/, /No call is pinned/],
    ['PUT', '/pins', 405, /PUT is not possible here/, /Use GET, POST or DELETE/],
    ['DELETE', '/faults/x', 404, /there is no \/faults\/x/, /number is a number: \/faults\/7$/],
    ['GET', '/pins/x', 404, /there is no \/pins\/x/, /\/pins\/7/],
    ['GET', '/calls?q=colour:red', 400, /colour/, /./],
    ['POST', '/copies/1/dashboard', 404, /no other copy runs with pid 1$/, /^No other copy runs\.$/],
    ['POST', '/copies/x/dashboard', 404, /there is no \/copies\/x\/dashboard/, /\/copies\/7/]
  ]
  for (const [method, path, status, detail, hint] of refused) {
    const answer = await ask(socket, `/api/v1${path}`, {method})
    t.equal(answer.status, status, `${method} ${path}: ${answer.body}`)
    if (status === 200) continue
    t.equal(answer.type, 'application/problem+json')
    t.equal(misfit('Problem', answer.json), '')
    t.match(answer.json, {status, detail, hint})
  }
})
