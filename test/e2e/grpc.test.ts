import {once} from 'node:events'
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {echoClient} from '../integration/sidecar/grpc/rig.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]
const echo = {appID: 'b', autoPort: true, appProtocol: 'grpc', command: ECHO}

const portOf = async (rig: Rig, id: string, file = '.'): Promise<number> => {
  const run = rig.pillion(['run', '-f', file])
  return (await run.ports(id)).grpc
}

t.test('a call of gRPC waits for an app that starts, and is in the log of the sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: [], enableApiLogging: true}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const {grpc} = await run.ports('a')
  const client = echoClient(t, grpc)
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  t.match(await client.call({'dapr-app-id': 'c'}), {
    code: 2,
    message: 'couldn\'t find service: c (no app "c" runs here; did you mean "a"?; running: a, b)'
  })
  run.signal('SIGTERM')
  await run.exited
  const folder = join(rig.folder, 'a/.dapr/logs')
  const [file = ''] = (await readdir(folder)).filter(name => name.includes('daprd'))
  const log = await readFile(join(folder, file), 'utf8')
  t.match(
    log,
    /msg="gRPC API Called" app_id=a code=0 duration=\d+ .* method=\/test\.Echo\/Unary .* useragent=\S*grpc-node-js/
  )
  t.match(log, /msg="gRPC API Called" app_id=a code=2 /)
})

t.test('a reload: unary calls all succeed, streams end with UNAVAILABLE and can be opened again', async t => {
  const rig = await openRig(t)
  await rig.write({'b/version.txt': '0'})
  await rig.template([
    {appID: 'a', command: []},
    {...echo, watch: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  const first = await client.call()
  const streams = Array.from({length: 5}, () => client.both().on('error', () => undefined))
  for (const stream of streams) {
    stream.write(Buffer.from('x'))
    await once(stream, 'data')
  }
  const ended = streams.map(
    async stream => new Promise(resolve => stream.on('status', ({code}: {code: number}) => resolve(code)))
  )
  const reloaded = new AbortController()
  const outcomes: {code: number; head: {get: (name: string) => unknown[]}}[] = []
  const calls = Array.from({length: 10}, async () => {
    while (!reloaded.signal.aborted) outcomes.push(await client.call())
  })
  await writeFile(join(rig.folder, 'b/version.txt'), '1')
  t.strictSame(await Promise.all(ended), [14, 14, 14, 14, 14])
  await run.waitForLine(/b: reloaded in \d+ ms.* 0 lost/)
  reloaded.abort()
  await Promise.all(calls)
  t.strictSame([...new Set(outcomes.map(({code}) => code))], [0])
  const last = await client.call()
  t.not(last.head.get('x-pid')[0], first.head.get('x-pid')[0])
  const again = client.both()
  again.end(Buffer.from('again'))
  for await (const message of again) t.equal(String(message), 'again')
})

t.test('an app of another run is reached the same way, streams included', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}])
  await rig.write({'other/dapr.yaml': JSON.stringify({version: 1, apps: [{...echo, appDirPath: '.'}]})})
  const [port] = await Promise.all([portOf(rig, 'a'), portOf(rig, 'b', 'other')])
  const client = echoClient(t, port)
  t.match(await client.call({'dapr-caller-app-id': 'spoofed', 'pillion-caller': 'x/default/spoofed'}), {
    code: 0,
    answer: 'hello for a'
  })
  const stream = client.both()
  stream.end(Buffer.from('over there'))
  for await (const message of stream) t.equal(String(message), 'over there')
})

t.test('an app that is killed during a call: its caller learns it at once', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}, echo])
  const client = echoClient(t, await portOf(rig, 'a'))
  const {head} = await client.call()
  const stream = client.both().on('error', () => undefined)
  stream.write(Buffer.from('x'))
  await once(stream, 'data')
  const ended = new Promise(resolve => stream.on('status', ({code}: {code: number}) => resolve(code)))
  process.kill(Number(head.get('x-pid')[0]), 'SIGKILL')
  t.equal(await ended, 14)
  const {code: down, message} = await client.call()
  t.equal(down, 14)
  t.match(
    message,
    /^connection error: desc = "transport: Error while dialing: dial tcp 127\.0\.0\.1:\d+: connect: connection refused" \(.*SIGKILL/
  )
})
