import {join} from 'node:path'
import t from 'tap'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {openRig} from '../rig/rig.ts'

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]

const SERVER = `
const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => response.end('stock')).listen(Number(process.env.APP_PORT), '127.0.0.1')
`

t.test('a call of gRPC starts an app, unary and as a stream, of this run and of another one', async t => {
  const rig = await openRig(t)
  const echo = {autoPort: true, appProtocol: 'grpc', command: ECHO, lazy: true}
  await rig.template([{appID: 'a', command: []}, ...['b', 'c', 'd', 'e'].map(appID => ({...echo, appID}))])
  await rig.write({'far/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'far', appDirPath: '.', command: []}]})})
  const run = rig.pillion(['run', '-f', '.'])
  const other = rig.pillion(['run', '-f', 'far'])
  await run.waitForLine('App id "e" starts with its first call')
  for (const [caller, client, unary, streamed] of [
    ['a', echoClient(t, (await run.ports('a')).grpc), 'b', 'c'],
    ['far', echoClient(t, (await other.ports('far')).grpc), 'd', 'e']
  ] as const) {
    t.match(await client.call({'dapr-app-id': unary}), {code: 0, answer: `hello for ${caller}`})
    await run.waitForLine(`${unary}: woken by ${caller}: `)
    const stream = client.both({'dapr-app-id': streamed})
    stream.write(Buffer.from('one'))
    stream.end(Buffer.from('two'))
    const got: string[] = []
    for await (const message of stream) got.push(String(message))
    t.same(got, ['one', 'two'], 'what was sent before it had a process')
    await run.waitForLine(`${streamed}: woken by ${caller}: `)
  }
})

t.test('a call of HTTP of another run starts an app', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': SERVER})
  await rig.template([
    {appID: 'stock', autoPort: true, lazy: true, command: ['node', '../app.mjs']},
    {appID: 'shop', command: []}
  ])
  await rig.write({'far/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'far', appDirPath: '.', command: []}]})})
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await rig.pillion(['run', '-f', 'far']).ports('far')
  await run.waitForLine('App id "stock" starts with its first call')
  const answer = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/items`)
  t.equal(await answer.text(), 'stock')
  await run.waitForLine('stock: woken by far: GET /items')
})

t.test('up --lazy --run: the command begins while apps sleep, and what it calls starts', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': SERVER})
  await rig.template(['stock', 'mail'].map(appID => ({appID, autoPort: true, command: ['node', '../app.mjs']})))
  const {code, stdout, stderr} = await rig.run([
    'up',
    '--lazy',
    '--run',
    `curl -s http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/invoke/stock/method/x; echo; ${rig.program.join(' ')} ps`
  ])
  t.equal(code, 0, stderr)
  t.match(stdout, /^stock\n/)
  t.match(stdout, /stock +ready/)
  t.match(stdout, /mail +asleep/)
})
