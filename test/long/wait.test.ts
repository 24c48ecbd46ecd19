import type * as Api from '../../src/model/api.generated.ts'
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const DOCS = join(import.meta.dirname, '../../docs/wait.md')

/** Answers, crashes, and writes what it is asked to. */
const APP = `
const http = process.getBuiltinModule('node:http')
console.log('listening on ' + process.env.APP_PORT)
http.createServer((request, response) => {
  if (request.url === '/die') {
    console.error('Error: no stock left')
    process.exit(3)
  }
  if (request.url === '/say') console.log('a'.repeat(40) + '!')
  response.end('{}')
}).listen(process.env.APP_PORT)
`
const app = (appID: string, more: Readonly<Record<string, unknown>> = {}) => ({
  appID,
  appDirPath: '.',
  autoPort: true,
  command: ['node', 'app.mjs'],
  ...more
})

/** `wait` with its answer as JSON. */
async function waited(rig: Rig, ...args: readonly string[]): Promise<{code: number | null; answer: Api.Waited}> {
  const {code, stdout, stderr} = await rig.run(['wait', '-o', 'json', ...args])
  if (stdout === '') throw new Error(stderr)
  const answer = JSON.parse(stdout) as Api.Waited
  if (misfit('Waited', answer) !== '') throw new Error(misfit('Waited', answer))
  return {code, answer}
}

t.test('up & wait: a wait finds the run that starts after it, and says when all can be used', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([
    app('shop', {dependsOn: {setup: 'completed'}}),
    {appID: 'setup', appDirPath: '.', command: ['true']}
  ])
  const waiting = rig.pillion(['wait', '--for', 'ready'])
  const run = rig.pillion(['up'])
  t.same(await waiting.exited, {code: 0, signal: null}, waiting.stderr.text)
  t.equal(waiting.stdout.text, '✅  ready: shop, setup\n', 'a one-shot app that has finished is ready')
  const {http} = await run.ports('shop')
  const call = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method${path}`)).status
  t.equal(await call('/'), 200)

  t.match(await rig.run(['wait', '--for', String.raw`log:shop:listening on \d+`]), {
    code: 0,
    stdout: /^✅ {2}log:shop:listening on \\d\+: shop wrote: listening on \d+\n$/
  })
  t.match(await waited(rig, '--for', 'calls:1', '--for', 'exit:setup', '--for', 'idle:50ms'), {
    code: 0,
    answer: {
      outcome: 'met',
      conditions: [{reason: /ended/}, {reason: 'setup exited with code 0'}, {reason: /^idle for/}]
    }
  })
  t.match(await waited(rig, '--any', '--for', 'calls:shop:shop:99', '--for', 'ready:shop'), {code: 0})

  const {answer} = await waited(rig, '--for', 'ready')
  t.match(await waited(rig, '--for', 'calls:1', '--from', answer.id.toString(), '--timeout', '50ms'), {
    code: 124,
    answer: {outcome: 'timeout', conditions: [{state: 'waiting', reason: '0 of 1 calls have ended'}]}
  })
  await call('/')
  t.match(await waited(rig, '--for', 'calls:shop:1', '--from', answer.id.toString()), {code: 0})

  await rig.run(['restart', 'shop'])
  t.match(await waited(rig, '--for', 'reloaded:shop'), {code: 0, answer: {conditions: [{reason: /shop was reloaded/}]}})
})

t.test('what can no longer come true ends a wait at once, with the reason and the last line', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([app('shop'), app('stock', {watch: ['app.mjs']})])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/die`)
  const failed = await rig.run(['wait', '--for', 'ready', '--for', 'ready:stock', '--timeout', '10m'])
  t.match(failed, {
    code: 1,
    stdout: '✅  ready:stock: stock\n',
    stderr: /^❌ {2}ready: shop will not become ready\n {4}shop: .*exited with code 3[^;]*: Error: no stock left\n$/
  })
  t.match(await waited(rig, '--for', 'exit:shop'), {code: 0, answer: {conditions: [{reason: /exited with code 3/}]}})

  await rig.run(['stop', 'shop'])
  t.match(await waited(rig, '--for', 'ready:shop'), {
    code: 1,
    answer: {conditions: [{state: 'impossible', apps: [{app: 'shop', reason: /pillion start/}]}]}
  })

  const socket = controlSocket(rig)
  const body = '{"for": ["calls:1000"]}'
  const waiting = ask(socket, '/api/v1/wait', {method: 'POST', body})
  const reloading = rig.pillion(['wait', '--for', 'reloaded:stock', '--from', 'now'])
  await rig.write({'app.mjs': 'process.exit(7)'})
  t.same(await reloading.exited, {code: 1, signal: null})
  t.match(reloading.stderr.text, /stock did not become ready\n {4}stock: .*code 7/)
  run.signal('SIGTERM')
  const {json} = await waiting
  t.equal(misfit('Waited', json), '')
  t.match(json, {
    outcome: 'impossible',
    conditions: [{state: 'impossible', reason: 'the run has ended; 1 of 1000 calls have ended'}]
  })
})

t.test('a pattern that backtracks without end is stopped, and calls go on meanwhile', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([app('shop')])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await rig.run(['wait', '--for', 'ready'])
  const call = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method${path}`)).status
  t.equal(await call('/say'), 200)
  const waiting = rig.pillion(['wait', '--for', 'log:^(a+)+$'])
  const over = new AbortController()
  const ended = waiting.exited.finally(() => over.abort())
  let calls = 0
  while (!over.signal.aborted) {
    if ((await call('/')) !== 200) break
    calls++
  }
  t.match(await ended, {code: 1})
  t.match(waiting.stderr.text, /\/\^\(a\+\)\+\$\/ takes too long: it backtracks too much/)
  t.ok(calls > 20, `${calls} calls were answered meanwhile`)
})

t.test('a hundred patterns share one thread', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([app('shop')])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await rig.run(['wait', '--for', 'ready'])
  const threads = (): number => readdirSync(`/proc/${run.pid}/task`).length
  const before = threads()
  const never = Array.from({length: 99}, (_, n) => ['--for', `log:^never ${n}$`]).flat()
  const waiting = rig.pillion(['wait', '--any', ...never, '--for', 'log:^a+'])
  const over = new AbortController()
  const ended = waiting.exited.finally(() => over.abort())
  let most = 0
  while (!over.signal.aborted) {
    await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/say`)
    most = Math.max(most, threads())
  }
  t.match(await ended, {code: 0})
  t.ok(most < before + 20, `${most} threads, ${before} before`)
})

const ORDERS = `
const http = process.getBuiltinModule('node:http')
http.createServer(async (request, response) => {
  if (request.url === '/pack') console.log('packed item 7')
  else await fetch('http://127.0.0.1:' + process.env.DAPR_HTTP_PORT + '/v1.0/invoke/stock/method/pack')
  response.end('{}')
}).listen(process.env.APP_PORT)
`

t.test('the script of the docs starts, uses and stops a run, and never sleeps', async t => {
  const [, script = ''] = /```sh\n(.*?)```/s.exec(readFileSync(DOCS, 'utf8')) ?? []
  t.match(script, /^set -e\n/)
  t.equal(script.trimEnd().split('\n').length, 9)
  t.notMatch(script, /sleep/)
  const rig = await openRig(t)
  await rig.write({'app.mjs': ORDERS})
  await rig.template(['shop', 'stock'].map(id => ({...app(id), command: ['node', 'app.mjs']})))
  const words = rig.program.map(word => `'${word}'`).join(' ')
  const program = rig.start(['sh', '-c', `pillion() { ${words} "$@"; }\n${script}`])
  t.match(await program.exited, {code: 0}, program.stdout.text + program.stderr.text)
  t.match(program.stdout.text, /stock wrote: packed item 7/)
  t.match(await rig.run(['ps']), {stdout: 'Nothing is running.\n'}, 'nothing is left')
})

t.test('mistakes: conditions, durations, patterns and ids', async t => {
  const rig = await openRig(t)
  await rig.template([app('shop', {command: ['sleep', '600'], autoPort: false})])
  const usage: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /wait needs a condition: --for ready/],
    [['ready'], /conditions follow --for, as in --for ready/],
    [['--for', 'redy'], /"redy" is not a condition\. Did you mean ready\?/],
    [['--for', 'idle:0'], /"0" is not a duration up to 24 days\. Write idle or idle:500ms/],
    [['--for', 'idle:-5s'], /"-5s" is not a duration/],
    [['--for', 'idle:9999h'], /"9999h" is not a duration/],
    [['--for', 'calls:x'], /"x" is not a number/],
    [['--for', 'calls:a:b:c:1'], /Write calls:N, calls:TO:N or calls:FROM:TO:N/],
    [['--for', 'log:(unclosed'], /not a JavaScript regular expression/],
    [['--for', 'exit'], /Write exit:ID/],
    [['--for', 'ready', '--timeout', 'soon'], /invalid argument "soon" for "--timeout" flag/],
    [['--for', 'ready', '--from', 'yesterday'], /invalid argument "yesterday" for "--from" flag/],
    [['--for', 'idle', '--ignore', 'poll'], /"poll" names no calls\. Write a method and a path/],
    [['--for', 'ready', '-o', 'xml'], /valid values are text, json/]
  ]
  for (const [args, message] of usage)
    t.match(await rig.run(['wait', ...args]), {code: 255, stderr: message}, args.join(' '))

  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '50ms']), {
    code: 124,
    stderr: /not met within 50ms\n.*ready: there is no run of this template/
  })
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  t.match(await rig.run(['wait', '--for', 'ready:shpo']), {code: 1, stderr: /no app "shpo"\nDid you mean "shop"\?/})
  t.match(await rig.run(['wait', '--for', 'ready', '--from', '12']), {code: 1, stderr: /event 12 is no longer kept/})
  t.match(await rig.run(['wait', '--for', 'log:shpo:x', '--timeout', '50ms']), {
    code: 124,
    stderr: /no app "shpo": did you mean shop:\?/
  })
})

t.test('ready is not met while a save is pending: what answers afterwards is the code that was saved', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const save = async (version: number): Promise<void> =>
    rig.write({
      'web/web.mjs': `setTimeout(() => process.getBuiltinModule('node:http').createServer((_, response) => response.end('${version}')).listen(process.env.PORT), 500)`
    })
  await save(0)
  const web = {appID: 'web', appDirPath: 'web', port, watch: true, reload: 'overlap', command: ['node', 'web.mjs']}
  await rig.write({'pillion.yaml': JSON.stringify({version: 1, apps: [web]})})
  const run = rig.pillion(['up'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  for (const version of [1, 2, 3, 4]) {
    await save(version)
    t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
    t.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), version.toString())
  }
  t.match(await run.end('SIGINT'), {code: 0})
})
