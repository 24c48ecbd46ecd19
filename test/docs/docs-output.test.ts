import {chmodSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import t from 'tap'
import {parse} from 'yaml'
import {freePort} from '../rig/free-port.ts'
import {blocksOf, PAGES} from '../rig/page.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {has} from '../rig/installed.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** The block of a page that begins so. */
function block(page: string, begins: string): string {
  const found = blocksOf(page).find(({text}) => text.startsWith(begins))
  if (found === undefined) throw new Error(`${page} has no block that begins with ${begins}`)
  return found.text
}

/** What differs from run to run made equal: numbers, times, and how wide a column is. */
const shape = (text: string): string =>
  text
    .trim()
    .replaceAll(/\d+(?:[.:]\d+)*/g, '0')
    .replaceAll(/0 (?:ms|s|µs)\b/g, 'TIME')
    .replaceAll(/ +/g, ' ')

/** A shell whose `pillion` is the program that is tested. */
async function inShell(rig: Rig, script: string, env: Readonly<Record<string, string>> = {}): Promise<Program> {
  await rig.write({'bin/pillion': `#!/bin/sh\nexec ${rig.program.map(word => `'${word}'`).join(' ')} "$@"\n`})
  chmodSync(join(rig.folder, 'bin/pillion'), 0o755)
  const path = [join(rig.folder, 'bin'), join(process.execPath, '..'), process.env['PATH'] ?? ''].join(delimiter)
  return rig.start(['sh', '-c', script], {env: {PATH: path, ...env}})
}

const ORDERS = `
require('node:http').createServer((request, response) => response.end('{"orderId":1}'))
  .listen(process.env.APP_PORT, () => console.log('listening'))
`
const CHECKOUT = `
setInterval(() => {}, 1000)
fetch('http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0/invoke/order-processor/method/orders')
  .then(async answer => console.log('Order passed: ' + await answer.text()))
`

t.test('the template of the page prints what it shows, and is called in both ways', async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  await rig.write({
    'dapr.yaml': block('docs/coming-from-dapr.md', '# dapr.yaml').replace('6001', port),
    'order-processor/app.js': ORDERS,
    'checkout/app.js': CHECKOUT
  })
  const [prompt = '', ...lines] = block('docs/coming-from-dapr.md', '$ pillion run').split('\n')
  const run = await inShell(rig, prompt.slice(2))
  await run.waitForLine('Order passed')
  t.equal(shape(run.stdout.text), shape(lines.join('\n').replaceAll('/home/me/shop', rig.folder)))
  const {http} = await run.ports('checkout')
  if (has(t, 'curl')) {
    const calls = await inShell(rig, block('docs/coming-from-dapr.md', 'curl '), {DAPR_HTTP_PORT: http.toString()})
    t.match(await calls.exited, {code: 0})
    t.equal(calls.stdout.text, '{"orderId":1}{"orderId":1}')
  }
  t.match(await rig.run(['down']), {code: 0})
})

t.test('the alias of the page for users of Dapr', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  const run = await inShell(rig, block('docs/coming-from-dapr.md', 'alias'))
  await run.waitForLine('Started Dapr with app id "shop"')
  t.match(await rig.run(['down']), {code: 0})
})

t.test('templates of the pages validate where their folders and files are', async t => {
  let count = 0
  for (const {page, text} of PAGES.flatMap(blocksOf).filter(({language}) => language === 'yaml')) {
    const {apps, ...more} = parse(text.replace('apps: …', 'apps: [{appID: shop}]'), {version: '1.1'}) as {
      apps?: readonly Readonly<Record<string, unknown>>[]
      conversation?: Readonly<Record<string, unknown>>
    }
    if (apps === undefined) continue
    count++
    const rig = await openRig(t)
    // parts of a template, and second files, may leave out what the first one has
    const isPlain = apps.some(app => 'id' in app)
    const named = apps.map(({id, dir = '.', ...app}) => ({
      appDirPath: String(dir),
      ...(id === undefined ? {} : {appID: id}),
      ...app
    }))
    const whole = {version: 1, ...more, apps: named}
    const asShown = /^version:.*(?:appDirPath|dir:)/ms.test(text)
    await rig.write({
      [isPlain ? 'pillion.yaml' : 'dapr.yaml']: asShown ? text : JSON.stringify(whole),
      ...Object.fromEntries(whole.apps.map(({appDirPath}) => [`${appDirPath}/here`, ''])),
      'resources/here': '',
      ...Object.fromEntries(
        whole.apps.flatMap(({appDirPath, envFile}: {appDirPath: string; envFile?: unknown}) =>
          typeof envFile === 'string' ? [[`${appDirPath}/${envFile}`, '']] : []
        )
      ),
      // the models that a template names are components
      ...Object.fromEntries(
        Object.keys(more.conversation ?? {}).flatMap(name =>
          whole.apps.map(({appDirPath}) => [
            `${appDirPath}/resources/${name}.yaml`,
            component(name, 'conversation.echo', {})
          ])
        )
      )
    })
    t.match(await rig.run(['validate', '--env', 'STRIPE_KEY=k']), {code: 0}, `${page}: ${text}`)
  }
  t.ok(count > 12, count.toString())
})

t.test('the component of a schedule is one', async t => {
  const rig = await openRig(t)
  const {spec} = parse(block('docs/building-blocks.md', 'spec:')) as {spec: unknown}
  const kind = {apiVersion: 'dapr.io/v1alpha1', kind: 'Component', metadata: {name: 'tick'}}
  await rig.write({'resources/tick.yaml': JSON.stringify({...kind, spec})})
  await rig.template([{appID: 'shop'}], {resourcesPath: './resources'})
  t.match(await rig.run(['validate']), {code: 0, stdout: '✅  dapr.yaml can run: 1 app\n', stderr: ''})
})

t.test('the keys of the built-in Redis, as redis-cli shows them', async t => {
  if (!has(t, 'redis-cli')) return
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  await rig.write({
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`, redisPassword: ''})
  })
  await rig.template([{appID: 'shop', command: ['sleep', '600']}], {resourcesPath: './resources'})
  const run = rig.pillion(['up'])
  const {http} = await run.ports('shop')
  await fetch(`http://127.0.0.1:${http}/v1.0/state/store`, {method: 'POST', body: '[{"key":"basket","value":1}]'})
  const [prompt = '', answer = ''] = block('docs/building-blocks.md', '$ redis-cli').split('\n')
  const program = await inShell(rig, prompt.slice(2).replace('6379', `${port} --no-raw`))
  t.match(await program.exited, {code: 0})
  t.equal(program.stdout.text, `${answer}\n`)
})

t.test('the scripts for npm', async t => {
  const rig = await openRig(t)
  await rig.write({
    'package.json': block('docs/daily.md', '{"scripts"'),
    'e2e/shop.test.mjs':
      "import test from 'node:test'\ntest('tested', () => console.log('sidecar', process.env.DAPR_HTTP_PORT))"
  })
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  const tests = await inShell(rig, 'npm run test:e2e')
  t.match(await tests.exited, {code: 0}, tests.stderr.text)
  t.match(tests.stdout.text, /sidecar \d+/)
  const run = await inShell(rig, 'npm run dev')
  await run.waitForLine('Started Dapr with app id "shop"')
  t.match(await rig.run(['down']), {code: 0})
})

t.test('the table of faults', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'stock', command: ['sleep', '600']}
  ])
  await rig.pillion(['up']).ports('stock')
  await rig.run(['fault', 'shop', 'stock', '--delay', '300ms', '--jitter', '100ms'])
  await rig.run('fault any stock --method POST --path /orders/* --status 503 --rate 0.2'.split(' '))
  await rig.run(['fault', '--disable', '2'])
  t.equal(shape((await rig.run(['fault'])).stdout), shape(block('docs/faults.md', 'FAULT')))
})

t.test('messages for scripts', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, ready: {timeout: '1s'}, command: ['sleep', '600']}])
  const run = rig.pillion(['up', '--log-as-json'])
  const warning: unknown = JSON.parse(await run.waitForLine('app-not-ready', {stream: 'stderr'}))
  const {time, msg, ...same} = JSON.parse(block('docs/messages.md', '{"time"')) as {time: string; msg: string}
  t.match(warning, {...same, time: /^\d{4}-\d\d-\d\dT/, msg: msg.replace('60 s: …', '1 s: ')})
  t.same(Object.keys(warning as object), Object.keys({time, status: '', msg, code: ''}))
  await rig.write({
    'dapr.yaml':
      'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    comand: [sleep, "600"]\n    command: [sleep, "600"]\n'
  })
  const {findings} = JSON.parse((await rig.run(['validate', '-o', 'json'])).stdout) as {findings: readonly unknown[]}
  t.match(findings, [JSON.parse(block('docs/messages.md', '{"file"'))])
})

/** Of an order it tells more once it is mended. */
const TOTALS = `
let isMended = false
require('node:http').createServer((request, response) => {
  if (request.url === '/mend') isMended = true
  response.writeHead(isMended ? 200 : 500, {'content-type': 'application/json'})
  response.end(JSON.stringify({order: isMended ? {total: 25, currency: 'EUR'} : {total: 12.5}}))
}).listen(process.env.APP_PORT, () => console.log('listening'))
`

const app = (appID: string, more: object = {}) => ({
  appID,
  appDirPath: '.',
  autoPort: true,
  command: ['node', 'app.js'],
  ...more
})

t.test('tables of calls, the graph, a replay and the stream of events look as shown', async t => {
  const rig = await openRig(t)
  await rig.write({'app.js': TOTALS})
  await rig.template([app('checkout', {dependsOn: ['mail']}), app('orders'), app('mail')])
  const run = rig.pillion(['up'])
  const {http} = await run.ports('checkout')
  const call = async (path: string): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/orders/method${path}`)).text()
  }
  const events = has(t, 'curl')
    ? await inShell(
        rig,
        block('docs/recorder.md', 'curl').replace('/run/user/$(id -u)/pillion', rig.runtimeDir).replace(/^/, 'exec ')
      )
    : undefined
  await call('/orders/7')
  await call('/mend')
  // only what somebody calls is missed as a callee
  const {http: other} = await run.ports('orders')
  await (await fetch(`http://127.0.0.1:${other}/v1.0/invoke/mail/method/letters`)).text()
  const calls = shape((await rig.run(['calls'])).stdout).split('\n')
  const [head = '', , second = ''] = shape(block('docs/recorder.md', 'CALL  TIME')).split('\n')
  t.equal(calls[0], calls[0]?.includes('WAITED') === true ? head : head.replace(' WAITED', ''))
  t.match(
    calls[1],
    new RegExp(
      `^ ?${second
        .trim()
        .replace(/ TIME TIME$/, ' TIME')
        .replace('checkout → payments POST /charge', 'checkout → orders GET /orders/0')}`
    )
  )

  const graph = shape((await rig.run(['graph'])).stdout)
  const shown = shape(block('docs/recorder.md', 'FROM')).replaceAll('payments', 'orders').split('\n')
  t.equal(graph.split('\n')[0], graph.includes('WAITED') ? shown[0] : shown[0]?.replace(' WAITED', ''))
  for (const sentence of shown.slice(-2)) t.match(graph, sentence)

  const replayed = (await rig.run(['replay', '1'])).stdout
  t.equal(shape(replayed), shape(block('docs/replay.md', 'call 48190')))

  if (events === undefined) return
  run.signal('SIGTERM')
  await events.exited
  const lines = events.stdout.text.trim().split('\n')
  t.ok(lines.length > 0)
  for (const line of lines) t.ok(JSON.parse(line), line)
})
