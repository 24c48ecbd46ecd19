import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {START_INSTANCE} from '../../src/work/workflow/hub/hub-messages.ts'
import {TURN_ANSWER} from '../../src/work/workflow/messages.ts'
import {openHub} from '../rig/hub.ts'
import {openRig} from '../rig/rig.ts'
import {call} from '../rig/workflow-house.ts'

const STOCK = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    if (request.url === '/charge' && body === 'null') throw new TypeError('Cannot read the card')
    if (request.url === '/slow') console.log('slow has come')
    else response.end('charged')
  })
}).listen(process.env.APP_PORT)
`

t.test('a request kills an app: why names it, what was answered before, and that it was inside again', async t => {
  const rig = await openRig(t)
  await rig.write({
    'stock.mjs': STOCK,
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
        {appID: 'payments', appDirPath: '.', autoPort: true, restart: 'on-failure', command: ['node', 'stock.mjs']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  t.match(await rig.run(['why', 'payments']), {code: 0, stdout: /^"payments" (?:is|has|runs)/})
  const charge = async (body: string, path = '/charge'): Promise<number> => {
    const url = `http://127.0.0.1:${http}/v1.0/invoke/payments/method${path}`
    const response = await fetch(url, {method: 'POST', body})
    await response.text()
    return response.status
  }
  t.equal(await charge('card'), 200)
  t.equal(await charge('null'), 500)
  await run.waitForLine('pillion why 1 shows what was sent', {stream: 'stderr'})
  t.equal(await charge('other'), 200, 'restarted')
  const slow = charge('', '/slow')
  await run.waitForLine('slow has come')
  t.equal(await charge('null'), 500)
  await run.waitForLine('pillion why 2 shows what was sent', {stream: 'stderr'})
  await slow

  const first = JSON.parse((await rig.run(['why', '1', '-o', 'json'])).stdout) as Api.Death
  t.match(first, {
    number: 1,
    app: 'payments',
    exit: 'exited with code 1',
    inside: [{from: 'shop', to: 'payments', method: 'POST', path: '/charge', times: 0}],
    finished: [{path: '/charge', status: 200}],
    earlier: 0
  })
  t.ok(first.lines.some(line => line.includes('Cannot read the card')))
  t.ok(first.lines.every(line => !line.startsWith('== APP')))
  const second = JSON.parse((await rig.run(['why', '2', '-o', 'json'])).stdout) as Api.Death
  t.same(
    second.inside.map(({path, times}) => [path, times]),
    [
      ['/charge', 1],
      ['/slow', 0]
    ]
  )
  const {stdout} = await rig.run(['why', 'payments'])
  t.match(stdout, /exit 2, at [\d:.]+\nTypeError: Cannot read the card \(stock\.mjs:6\)\nIn flight:\n/)
  t.match(stdout, /the same request was in flight at 1 of the 1 exits before/)
  t.match(stdout, /Cannot read the card/)
  const number = second.inside[0]?.number.toString() ?? ''
  t.match(stdout, `pillion calls ${number} shows the request. pillion replay ${number} --unsafe sends it again.`)
  t.match(
    (await rig.run(['calls', number])).stdout,
    /> POST \/v1\.0\/invoke\/payments\/method\/charge HTTP\/1\.1[^]*\nnull\n/
  )
  t.match(await rig.run(['why', '9']), {code: 1, stderr: /there is no exit 9\nKnown: 1, 2/})
  t.match(await rig.run(['why', 'paymets']), {code: 1, stderr: /couldn't find app id paymets: did you mean payments\?/})
  t.match(await rig.run(['why', 'a', 'b']), {code: 255, stderr: /why takes the id of one app/})
})

const SILENT = `
const http = process.getBuiltinModule('node:http')
console.error('listening at', process.env.APP_PORT)
http.createServer((request, response) => {
  if (request.url === '/exit') setTimeout(() => process.exit(7), 2300)
  else if (request.url === '/kill') process.kill(process.pid, 'SIGKILL')
  else if (request.url === '/hang') console.log('hangs')
  else response.setHeader('connection', 'close').end() // a call on a connection that was used before would be sent again
}).listen(process.env.APP_PORT)
`

t.test('an end without a word has no reason; what hung is one row; the last request is offered; own lines', async t => {
  const rig = await openRig(t)
  await rig.write({'stock.mjs': SILENT})
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'stock', appDirPath: '.', autoPort: true, restart: 'on-failure', command: ['node', 'stock.mjs']}
  ])
  const run = rig.pillion(['up'])
  const {http} = await run.ports('shop')
  const call = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method${path}`)).text()
  const hanging = Array.from({length: 20}, async () => call('/hang'))
  for (let seen = 0; seen < 20; seen++) await run.waitForLine('hangs')
  const silent = await call('/exit')
  t.match(silent, /"stock\\" exited with code 7 at [\d:]+ and is restarting\)/, 'the old line on stderr is no reason')
  await Promise.all(hanging)
  await run.waitForLine('    GET /hang from shop (', {stream: 'stderr'})
  t.match(
    run.stderr.lines.join('\n'),
    /while handling 21 calls[^]*\n {4}GET \/exit from shop \([\d.]+ s\)\n {4}GET \/hang from shop \([\d.]+ s\) ×20\n {4}pillion why 1 shows what was sent$/
  )
  const {stdout} = await rig.run(['why', '1'])
  t.match(stdout, /GET \/exit +no response +[\d.]+ s\n.*GET \/hang ×20 +no response/)
  t.notMatch(stdout, 'under way')
  const [, number = ''] = /^ +(\d+) .*GET \/exit/m.exec(stdout) ?? []
  t.match(stdout, `pillion calls ${number} shows the request. pillion replay ${number} sends it again.`)

  t.match(await call('/kill'), /"stock\\" was ended by SIGKILL at [\d:]+(?: and is restarting)?\)/)
  await run.waitForLine('was ended by SIGKILL', {stream: 'stderr'})
  const {lines} = JSON.parse((await rig.run(['why', '2', '-o', 'json'])).stdout) as Api.Death
  t.equal(lines.filter(line => line.startsWith('listening at')).length, 1, 'none of the process before')
})

t.test('an app that exits again and again is named while it happens to run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', restart: 'on-failure'}])
  const run = rig.pillion(['up'])
  for (const nth of [1, 2]) {
    await (await rig.driven('shop')).exit(3)
    await run.waitForLine('"shop" exited with code 3', {stream: 'stderr', nth})
  }
  await rig.driven('shop')
  t.match((await rig.run(['why'])).stdout, /^"shop" exited with code 3[^]*exit 2, at [^]*\n2 exits of "shop"/)
})

t.test('after a kill of Pillion why tells what was known', async t => {
  const rig = await openRig(t)
  const reason = 'Error: the card was refused'
  await rig.write({'stock.mjs': `setTimeout(() => { console.error('${reason}'); process.exit(4) }, 50)`})
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'stock', appDirPath: '.', command: ['node', 'stock.mjs']}
  ])
  t.match(await rig.run(['why', '--last-run']), {code: 1, stderr: /no exit of a run of dapr\.yaml is known/})
  const run = rig.pillion(['up'])
  await run.ports('shop')
  await run.waitForLine('"stock" exited with code 4', {stream: 'stderr'})
  t.match((await rig.run(['why', '1'])).stdout, `\n${reason}\n`)
  const last = async (): Promise<unknown> => JSON.parse((await rig.run(['why', '--last-run', '-o', 'json'])).stdout)
  while (((await last()) as object[]).length === 0);
  await run.end('SIGKILL')
  t.match(await rig.run(['why']), {code: 1, stderr: /"pillion why --last-run" shows how/})
  const {stdout} = await rig.run(['why', '--last-run'])
  t.match(
    stdout,
    /^The run of dapr\.yaml with pid \d+, started at [\d:.]+\n\nexit 1: "stock" exited with code 4 after \S+ m?s, at/
  )
  t.match(stdout, `${reason}\nNo recorded call was in flight.`)
  for (const what of ['stock', 'stock.1', '1'])
    t.equal((await rig.run(['why', what, '--last-run'])).stdout, stdout, what)
  t.match(await rig.run(['why', 'shop', '--last-run']), {
    code: 1,
    stdout: '',
    stderr:
      /no exit of shop is known\nThe run of dapr\.yaml with pid \d+, started at [\d:.]+, has exits of stock\. \[not-found\]\n/
  })
  t.match(await rig.run(['why', 'shop', '--last-run', '-o', 'json']), {code: 0, stdout: '[]\n'})
})

t.test('the exit with which a run ends is known behind it', async t => {
  const rig = await openRig(t)
  for (const what of ['beans', 'cups', 'water']) {
    await rig.template([{appID: 'shop', command: ['sh', '-c', `echo Error: no ${what} >&2; exit 3`]}])
    t.match(await rig.run(['run', '-f', '.']), {code: 1})
    t.match((await rig.run(['why', '--last-run'])).stdout, `Error: no ${what}\n`)
  }
})

const ELSEWHERE = `
require('node:http').createServer().listen(0, '127.0.0.1', function () { console.log('at', this.address().port) })
`

t.test('why without an id tells of all apps that are not ready; of one that listens elsewhere, where', async t => {
  const rig = await openRig(t)
  await rig.write({'app.js': ELSEWHERE})
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'stock', appDirPath: '.', autoPort: true, ready: {timeout: '2s'}, command: ['node', 'app.js']}
  ])
  const run = rig.pillion(['up'])
  const [, port = ''] = /at (\d+)/.exec(await run.waitForLine('at ')) ?? []
  const appPort = /^stock .*localhost:(\d+)/m.exec((await rig.run(['ps'])).stdout)?.[1] ?? ''
  const where = `it listens on port ${port}, and not on its appPort ${appPort}`
  const {code, stdout} = await rig.run(['why'])
  t.equal(code, 0)
  t.match(stdout, new RegExp(`^"stock" is .*: ${where}\n$`))
  t.match(JSON.parse((await rig.run(['why', '-o', 'json'])).stdout), [{app: 'stock', death: null}])
  t.match(await run.waitForLine('is not ready after 2 s', {stream: 'stderr'}), where)
  await rig.run(['stop', 'stock'])
  const stopped = await rig.run(['why'])
  t.equal(stopped.stdout, '"stock" was stopped by "pillion stop"; "pillion start stock" brings it back\n')
})

t.test('of an app that listens on another address why tells which one, and where it is waited for', async t => {
  const rig = await openRig(t)
  for (const [appID, address] of [
    ['four', '127.0.0.2'],
    ['six', '::ffff:127.0.0.3']
  ] as const)
    await rig.write({[`${appID}.js`]: `require('node:http').createServer().listen(process.env.PORT, '${address}')`})
  await rig.template(
    ['four', 'six'].map(appID => ({
      appID,
      appDirPath: '.',
      autoPort: true,
      ready: {timeout: '1s'},
      command: ['node', `${appID}.js`]
    }))
  )
  const run = rig.pillion(['up'])
  for (const [id, address] of [
    ['four', '127.0.0.2'],
    ['six', '127.0.0.3']
  ] as const) {
    await run.waitForLine(`"${id}" is not ready after 1 s`, {stream: 'stderr'})
    const {stdout} = await rig.run(['why', id])
    t.match(stdout, new RegExp(`it listens on ${address}:(\\d+), and not on 127.0.0.1:\\1 or \\[::1\\]:\\1\n`))
  }
})

t.test('of an app that answers the probe of ready.http with 404, the warning and why say so', async t => {
  const rig = await openRig(t)
  const server = "require('node:http').createServer((_, r) => { r.statusCode = 404; r.end() }).listen(process.env.PORT)"
  const ready = {http: '/helthz', timeout: '2s'}
  await rig.template([{appID: 'stock', appDirPath: '.', autoPort: true, ready, command: ['node', '-e', server]}])
  const run = rig.pillion(['up'])
  const answer = 'it answers GET /helthz with 404, and ready.http waits for 200 to 399'
  t.match(await run.waitForLine('is not ready after 2 s', {stream: 'stderr'}), answer)
  t.match((await rig.run(['why', 'stock'])).stdout, `: ${answer}\n`)
})

t.test('why without an id, where nothing is wrong', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  const run = rig.pillion(['up'])
  await run.ports('shop')
  t.same(await rig.run(['why']), {code: 0, stdout: 'All apps are ready.\n', stderr: ''})
  await rig.run(['down'])
  await run.exited
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'db', profiles: ['store'], command: ['sleep', '600']}
  ])
  await rig.pillion(['up']).ports('shop')
  const leftOut = '"db" was not started: --profile store starts it, and so does "pillion start db"\n'
  for (const args of [['why'], ['why', 'db']]) t.same(await rig.run(args), {code: 0, stdout: leftOut, stderr: ''})
})

t.test('why names what an app waits for', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', autoPort: true},
    {appID: 'page', autoPort: true, dependsOn: ['db']}
  ])
  rig.pillion(['run', '-f', '.'])
  await rig.driven('db')
  t.match((await rig.run(['why', 'page'])).stdout, /"page".*"db"/)
})

t.test('a crash names the activity that the worker had in hand, and its workflow', async t => {
  const hub = await openHub(t, {app: {restart: 'on-failure'}})
  const {rig, run} = hub
  const turn = async (): Promise<string> => (await hub.item()).token
  const starting = hub.call('StartInstance', encode(START_INSTANCE, {instanceId: 'order-1', name: 'saga'}))
  const completionToken = await turn()
  const answer = {instanceId: 'order-1', completionToken, actions: [call(1, 'charge')] as never}
  await hub.call('CompleteOrchestratorTask', encode(TURN_ANSWER, answer))
  await starting
  t.match(await hub.item(), {activity: {name: 'charge'}})
  await (await rig.driven('shop')).exit(3)
  const line = '"shop" exited with code 3'
  t.match(
    await run.waitForLine(line, {stream: 'stderr'}),
    / while handling activity "charge" of workflow order-1, restarting in /
  )
  t.match(await rig.run(['why', 'shop']), {
    code: 0,
    stdout: /^In hand of its worker:\n {2}activity "charge" of workflow order-1 \(pillion workflow history order-1\)$/m
  })
  await (await rig.driven('shop')).exit(3)
  await run.waitForLine(line, {stream: 'stderr', nth: 2})
  t.match(await rig.run(['why', '2', '-o', 'json']), {
    stdout: /"work":\[\{"kind":"activity","name":"charge","app":"shop","id":"order-1","times":1\}\]/
  })
})

t.test('a version of a service is named with its version: why and env are of that one', async t => {
  const rig = await openRig(t)
  const app = {appID: 'hello', fixedPort: 8000}
  await rig.template(
    [
      {
        ...app,
        version: '1.1.0',
        appDirPath: 'one',
        command: ['sh', '-c', 'echo Error: no beans >&2; exit 3'],
        env: {OF: 'one'}
      },
      {...app, appDirPath: 'none', command: ['sh', '-c', 'echo Error: no cups >&2; exit 3'], env: {OF: 'none'}},
      {appID: 'shop', command: ['sleep', '600']}
    ],
    {},
    {managerPort: 0}
  )
  const run = rig.pillion(['up'])
  for (const word of ['beans', 'cups']) await run.waitForLine(`no ${word}`)
  for (const [name, own, other] of [
    ['hello@1.1.0', 'beans', 'cups'],
    ['hello@0.0.0', 'cups', 'beans']
  ] as const) {
    const {code, stdout} = await rig.run(['why', name])
    t.equal(code, 0)
    t.match(stdout, `no ${own}`)
    t.notMatch(stdout, `no ${other}`)
    t.equal(stdout.match(/^"hello" exited with code 3 after/gm)?.length, 1, stdout)
  }
  const both = (await rig.run(['why', 'hello'])).stdout
  t.equal(both.match(/^"hello" exited with code 3 after/gm)?.length, 2, both)
  t.match((await rig.run(['env', 'hello@1.1.0'])).stdout, /OF='?one/)
  t.match((await rig.run(['env', 'hello@0.0.0'])).stdout, /OF='?none/)
  t.match(await rig.run(['exec', 'hello@0.0.0', '--', 'sh', '-c', 'echo $OF']), {code: 0, stdout: 'none\n'})
  t.match(await rig.run(['env', 'hello@2.0.0']), {code: 1, stderr: /the run has no version 2\.0\.0 of "hello"/})
  t.match(await rig.run(['debug', 'hello@1.1.0']), {code: 1, stderr: /all versions of "hello"/})
  const last = async (...args: readonly string[]): Promise<string> =>
    (await rig.run(['why', ...args, '--last-run'])).stdout
  while ((JSON.parse(await last('-o', 'json')) as readonly object[]).length < 2);
  await run.end('SIGKILL')
  t.match(await last(), /^exit \d of version 1\.1\.0: "hello"[^]*no beans/m)
  t.match(await last('hello'), /^exit \d: "hello"[^]*no cups/m)
  t.match(await last('hello'), 'no beans', 'the last one of each version')
  t.match(await last('hello@1.1.0'), 'no beans')
  t.notMatch(await last('hello@1.1.0'), 'no cups')
  t.match(await rig.run(['why', 'hello@2.0.0', '--last-run']), {
    code: 1,
    stderr: /no exit of hello@2\.0\.0 is known\n.*has exits of (?:hello@1\.1\.0, hello|hello, hello@1\.1\.0)\./
  })
})

t.test('why tells of an app that is down before one whose calls fail', async t => {
  const rig = await openRig(t)
  const server = "require('node:http').createServer((_, r) => { r.statusCode = 500; r.end() }).listen(process.env.PORT)"
  await rig.template([
    {appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', '-e', server]},
    {appID: 'worker', restart: 'no', command: ['sh', '-c', 'exit 3']}
  ])
  const run = rig.pillion(['up'])
  await run.waitForLine('"worker" exited with code 3', {stream: 'stderr'})
  t.match(await rig.run(['invoke', '--app-id', 'shop', '--verb', 'GET', '--method', 'items']), {code: 1})
  t.match((await rig.run(['why'])).stdout, /^"worker" exited with code 3[^]*\n1 of 1 calls to "shop" failed/)
})
