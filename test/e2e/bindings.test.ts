import {once} from 'node:events'
import {rm} from 'node:fs/promises'
import {createServer, type ServerResponse} from 'node:http'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Answer, Driven, Request} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
}

const openShop = async (
  t: Test,
  files: Readonly<Record<string, string>>,
  apps: readonly string[] = ['shop']
): Promise<Shop> => {
  const rig = await openRig(t)
  await rig.write(files)
  await rig.template(
    apps.map(appID => ({
      appID,
      autoPort: true,
      resourcesPath: '../resources',
      logLevel: 'debug',
      stop: {timeout: '500ms'}
    }))
  )
  const run = rig.pillion(['run', '-f', '.'])
  return {rig, run, shop: await rig.driven('shop')}
}

/** Answers the question for a binding. */
const answerQuestion = async (app: Driven, path: string, status = 200): Promise<void> => {
  const question = await app.nextRequest()
  t.match(question, {method: 'OPTIONS', url: path, headers: {'content-type': 'application/json'}})
  await question.reply({status})
}

const nextEvent = async (app: Driven, path: string): Promise<Request> => {
  const event = await app.nextRequest()
  t.match(event, {method: 'POST', url: path})
  return event
}

const timeOf = ({headers}: Request): string => headers['readtimeutc'] ?? ''

const OFTEN = {schedule: '@every 50ms'}

t.test('a cron: the app is asked, gets its events at its route, and what it answers is saved and sent on', async t => {
  const {shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, route: '/jobs/tick'}),
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'}),
    'resources/states.yaml': component('states', 'state.in-memory')
  })
  await shop.listen()
  await answerQuestion(shop, '/jobs/tick', 405)
  const event = await nextEvent(shop, '/jobs/tick')
  t.equal(event.body, '')
  t.match(event.headers, {
    'content-type': 'application/json',
    'content-length': '0',
    timezone: 'Local',
    readtimeutc: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC$/,
    traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-0\d$/
  })
  await event.reply({
    body: JSON.stringify({
      storeName: 'states',
      state: [{key: 'last', value: {at: 1}}],
      to: ['files', 'none'],
      data: 'kept text',
      concurrency: 'parallel'
    })
  })
  await shop.answer({status: 200})
  const kept = async (path: string, options?: object): Promise<Answer> => {
    for (;;) {
      const answer = await shop.fetch(path, options)
      if (answer.status === 200 && answer.body !== 'null') return answer
    }
  }
  t.match(await kept('/v1.0/state/states/last'), {body: '{"at":1}'})
  const list = await kept('/v1.0/bindings/files', {method: 'POST', body: '{"operation":"list"}'})
  const [path = ''] = JSON.parse(list.body) as readonly string[]
  t.match(path, /\/shop\/kept\/[0-9a-f-]{36}$/)
})

t.test('an answer whose other members are null is carried out: so serializers write what is not set', async t => {
  const {shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, direction: 'input'}),
    'resources/states.yaml': component('states', 'state.in-memory')
  })
  await shop.listen()
  const event = await nextEvent(shop, '/tick')
  const state = [{key: 'last', value: 1, etag: null, metadata: null, options: null}]
  await event.reply({body: JSON.stringify({storeName: 'states', state, to: null, data: null, concurrency: null})})
  await shop.answer({status: 200})
  while ((await shop.fetch('/v1.0/state/states/last')).body !== '1') await new Promise(setImmediate)
})

t.test('a cron that fires while the app is replaced waits, and is delivered once', async t => {
  const {rig, run, shop} = await openShop(
    t,
    {'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, direction: 'input'})},
    ['shop', 'clock']
  )
  const clock = await rig.driven('clock')
  await clock.listen()
  await shop.listen()
  await (await nextEvent(shop, '/tick')).reply()
  await shop.answer({status: 200})
  const restart = rig.pillion(['restart', 'shop'])
  const next = await rig.driven('shop')
  const away = new Date().toISOString().replace('T', ' ')
  let last = ''
  for (let ticks = 0; ticks < 4; ticks += last > away ? 1 : 0) {
    const tick = await nextEvent(clock, '/tick')
    last = timeOf(tick)
    await tick.reply()
  }
  await clock.answer({status: 200})
  await next.listen()
  // on a busy machine they overtake each other
  const events = [await nextEvent(next, '/tick'), await nextEvent(next, '/tick')]
  const [first = '', second = ''] = events.map(timeOf).toSorted()
  t.ok(first < last, 'one that came while it was away')
  t.ok(second > last, 'and no other')
  await Promise.all(events.map(async event => event.reply()))
  await next.answer({status: 200})
  t.match(await restart.exited, {code: 0})
  t.notMatch(run.stderr.text, /tick/)
})

/** Events of a route that were under way may come before the first of another one, and no question. */
const firstEvent = async (app: Driven, path: string, before: string): Promise<void> => {
  for (;;) {
    const event = await app.nextRequest()
    await event.reply()
    t.equal(event.method, 'POST')
    if (event.url === path) return
    t.equal(event.url, before)
  }
}

/** Answers events until one comes that was sent after now. */
const laterEvent = async (app: Driven, path: string): Promise<void> => {
  const now = new Date().toISOString().replace('T', ' ')
  for (let last = ''; last <= now;) {
    const event = await nextEvent(app, path)
    last = timeOf(event)
    await event.reply()
  }
}

/** Answers events until the app is asked for a binding, and this question. */
const questionAmong = async (app: Driven, path: string, events: string): Promise<void> => {
  for (;;) {
    const request = await app.nextRequest()
    await request.reply()
    if (request.method === 'OPTIONS') {
      t.equal(request.url, path)
      return
    }
    t.equal(request.url, events)
  }
}

t.test('a file that is saved: another schedule, a mistake with its place, its mend, and none any more', async t => {
  const {rig, run, shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@yearly'})
  })
  await shop.listen()
  await answerQuestion(shop, '/tick')
  await rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, route: 'often'})})
  await answerQuestion(shop, '/often')
  await (await nextEvent(shop, '/often')).reply()
  await rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '61 * * * *'})})
  await run.waitForLine("invalid schedule format '61 * * * *': end of range (61) above maximum (59): 61", {
    stream: 'stderr'
  })
  await run.waitForLine(/resources\/tick\.yaml:1:\d+/, {stream: 'stderr'})
  // what was there stays: the app is not asked for the route that stands beside the mistake
  await laterEvent(shop, '/often')
  await rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, route: 'again'})})
  await questionAmong(shop, '/again', '/often')
  await firstEvent(shop, '/again', '/often')
  await rm(join(rig.folder, 'resources/tick.yaml'))
  await rig.write({'resources/tock.yaml': component('tock', 'bindings.cron', {...OFTEN, direction: 'input'})})
  await firstEvent(shop, '/tock', '/again')
  await laterEvent(shop, '/tock')
})

t.test('a file that is saved while its app restarts: the next process gets events at the new route', async t => {
  const {rig, shop} = await openShop(t, {'resources/tick.yaml': component('tick', 'bindings.cron', OFTEN)})
  await shop.listen()
  await shop.answer({status: 200})
  for (const route of ['one', 'two', 'three', 'four']) {
    const restart = rig.run(['restart', 'shop'])
    const saved = rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, route})})
    const next = await rig.driven('shop')
    await next.listen()
    const urls: string[] = []
    while (urls.at(-1) !== `POST /${route}`) {
      const request = await next.nextRequest()
      urls.push(`${request.method} ${request.url}`)
      await request.reply()
    }
    t.ok(urls.includes(`OPTIONS /${route}`), urls.join(', '))
    await next.answer({status: 200})
    await saved
    t.match(await restart, {code: 0})
  }
})

t.test('an app that does not want a binding', async t => {
  const {rig, shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', OFTEN),
    'resources/tock.yaml': component('tock', 'bindings.cron', OFTEN)
  })
  await shop.listen()
  const questions = [await shop.nextRequest(), await shop.nextRequest()]
  for (const question of questions) await question.reply({status: question.url === '/tick' ? 404 : 204})
  await (await nextEvent(shop, '/tock')).reply({status: 500, body: 'broken'})
  await (await nextEvent(shop, '/tock')).reply()
  await shop.answer({status: 200})
  await rig.logged('shop', /app has not subscribed to binding tick\./)
  await rig.logged('shop', /error from app consumer for binding \[tock\]: .*status code: 500 body: broken/)
  t.pass('both are in the log of the sidecar')
})

t.test('a binding that the app has not answered yet keeps no other one from being read', async t => {
  const {shop} = await openShop(t, {
    'resources/late.yaml': component('late', 'bindings.cron', {...OFTEN, route: '/late'}),
    'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, direction: 'input'})
  })
  await shop.listen()
  const question = await shop.nextRequest()
  t.match(question, {method: 'OPTIONS', url: '/late'})
  await nextEvent(shop, '/tick')
  t.match(await shop.fetch('/v1.0/healthz'), {status: 204})
  await question.reply({status: 200})
  let event = await shop.nextRequest()
  while (event.url !== '/late') event = await shop.nextRequest()
  t.equal(event.method, 'POST')
  await shop.answer({status: 200})
})

t.test('nor do many of them keep another one from being asked', async t => {
  const names = Array.from({length: 9}, (_, n) => `late${n}`)
  const late = names.map(name => [`resources/${name}.yaml`, component(name, 'bindings.cron', OFTEN)] as const)
  const {shop} = await openShop(t, {
    ...(Object.fromEntries(late) as Record<string, string>),
    'resources/tick.yaml': component('tick', 'bindings.cron', OFTEN)
  })
  await shop.listen()
  let question = await shop.nextRequest()
  while (question.url !== '/tick') question = await shop.nextRequest()
  await question.reply({status: 200})
  let event = await shop.nextRequest()
  while (event.method !== 'POST') event = await shop.nextRequest()
  t.equal(event.url, '/tick')
  await shop.answer({status: 200})
})

t.test('a schedule that is none: the app is not started, the file is shown with a caret', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: 'often'})})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await run.exited, {code: 1})
  t.match(
    run.stderr.text,
    /"shop" was not started: the component tick \(bindings\.cron\) cannot be opened: invalid schedule format 'often': expected 5 to 6 fields, found 1: \[often\]\n +resources\/tick\.yaml:1:\d+\n.*\n +\^/
  )
})

t.test('errors of calls to bindings', async t => {
  const {shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@yearly'}),
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'})
  })
  await shop.listen()
  await shop.answer({status: 404})
  const cases: readonly (readonly [name: string, body: string, status: number, text: string])[] = [
    ['files', '', 400, 'failed deserializing HTTP body: EOF'],
    ['files', '{}', 500, 'operation field is missing from request'],
    ['file', '{"operation":"get"}', 500, "couldn't find output binding file (did you mean files?)"],
    ['tick', '{"operation":"get"}', 500, "couldn't find output binding tick (tick only brings events to the app)"],
    [
      'files',
      '{"operation":"fetch"}',
      500,
      'binding files does not support operation fetch. supported operations:create get list delete'
    ]
  ]
  for (const [name, body, status, text] of cases) {
    const message = status === 400 ? text : `error invoking output binding ${name}: ${text}`
    const errorCode = status === 400 ? 'ERR_MALFORMED_REQUEST' : 'ERR_INVOKE_OUTPUT_BINDING'
    const answer = await shop.fetch(`/v1.0/bindings/${name}`, {method: 'PUT', body})
    t.equal(answer.status, status)
    t.same(JSON.parse(answer.body), {errorCode, message})
  }
  const {components} = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {components: object[]}
  t.same(components, [
    {name: 'files', type: 'bindings.localstorage', version: 'v1', capabilities: ['OUTPUT_BINDING']},
    {name: 'tick', type: 'bindings.cron', version: 'v1', capabilities: ['INPUT_BINDING']}
  ])
})

t.test('the inbound and outbound policies of a binding', async t => {
  const resiliency = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: {name: 'policies'},
    spec: {
      policies: {retries: {twice: {policy: 'constant', duration: '1ms', maxRetries: 2}}},
      targets: {components: {tick: {inbound: {retry: 'twice'}}, web: {outbound: {retry: 'twice'}}}}
    }
  }
  const port = await freePort()
  const {shop} = await openShop(t, {
    'resources/tick.yaml': component('tick', 'bindings.cron', {...OFTEN, direction: 'input'}),
    'resources/web.yaml': component('web', 'bindings.http', {url: `http://127.0.0.1:${port}`}),
    'resources/policies.yaml': JSON.stringify(resiliency)
  })
  await shop.listen()
  const first = await nextEvent(shop, '/tick')
  await first.reply({status: 500})
  let failures = 1
  while (failures < 3) {
    const event = await nextEvent(shop, '/tick')
    if (timeOf(event) === timeOf(first)) failures++
    await event.reply({status: timeOf(event) === timeOf(first) ? 500 : 200})
  }
  await shop.answer({status: 200})
  const outside = createServer()
  t.teardown(() => outside.close())
  let asked = 0
  outside.on('request', (_, response: ServerResponse) => response.writeHead(++asked < 3 ? 503 : 200).end('"at last"'))
  outside.listen(port, '127.0.0.1')
  await once(outside, 'listening')
  const answer = await shop.fetch('/v1.0/bindings/web', {method: 'POST', body: '{"operation":"get"}'})
  t.match(answer, {status: 200, body: '"at last"'})
  t.equal(asked, 3)
})

t.test('validate knows the properties of bindings', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/tick.yaml': component('tick', 'bindings.cron', {shedule: '@hourly', route: 'x', direction: 'input'}),
    'resources/web.yaml': component('web', 'bindings.http', {url: 'http://a', responseTimeOut: '1s', timeout: '1s'}),
    'resources/kron.yaml': component('kron', 'bindings.kron', {})
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const {stdout, stderr} = await rig.run(['validate', '-f', '.'])
  const told = stdout + stderr
  t.match(told, /bindings\.cron has no property "shedule"[^]*did you mean schedule\?/)
  t.match(told, /bindings\.http has no property "timeout"/)
  t.match(told, /there is no type "bindings\.kron"[^]*did you mean bindings\.cron\?/)
  t.notMatch(told, /has no property "(?:route|direction|responseTimeOut)"/)
})
