import {once} from 'node:events'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {ClientDuplexStream} from '@grpc/grpc-js'
import t from 'tap'
import type {EchoClient} from '../integration/dapr/sidecar/grpc/echo-client.ts'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type TemplateApp} from '../rig/rig.ts'

const APPS = join(import.meta.dirname, '../fixtures/apps')
const appOf = (file: string): TemplateApp => ({
  appID: 'b',
  autoPort: true,
  appProtocol: 'grpc',
  command: [process.execPath, join(APPS, file)]
})
const ECHO = appOf('grpc-echo.mjs')
const KINDS = appOf('grpc-kinds.mjs')
const CALLER = {appID: 'a', command: []}
const UNAVAILABLE = 14

const CALLS = 1000
const STREAMS = 20
const AT_ONCE = 10

/** Streams of the app that have brought a message back. */
const openStreams = async (client: EchoClient, count: number): Promise<readonly ClientDuplexStream<Buffer, Buffer>[]> =>
  Promise.all(
    Array.from({length: count}, async () => {
      const stream = client.both().on('error', () => undefined)
      stream.write(Buffer.from('x'))
      await once(stream, 'data')
      return stream
    })
  )

/** How each ends. */
const codesOf = async (streams: readonly ClientDuplexStream<Buffer, Buffer>[]): Promise<readonly number[]> =>
  Promise.all(
    streams.map(async stream => new Promise<number>(resolve => stream.on('status', ({code}) => resolve(code))))
  )

for (const strategy of ['replace', 'overlap'] as const)
  t.test(`a reload (${strategy}) of ${CALLS} calls, ${STREAMS} streams: all end well`, async t => {
    const rig = await openRig(t)
    await rig.write({'b/version.txt': '0'})
    const counts = join(rig.folder, 'counts')
    const env = {COUNT_FILE: counts, TAKES_MS: '5'}
    await rig.template([CALLER, {...ECHO, watch: true, reload: strategy, env}])
    const run = rig.pillion(['run', '-f', '.'])
    const client = echoClient(t, (await run.ports('a')).grpc)
    const processes = new Set<unknown>()
    const codes = new Set<number>()
    const made = {count: 0}
    const call = async (): Promise<void> => {
      const {code, head} = await client.call({}, {message: Buffer.from((made.count++).toString())})
      codes.add(code)
      processes.add(head.get('x-pid')[0])
    }
    await call()
    const ended = codesOf(await openStreams(client, STREAMS))
    const isReloaded = {value: false}
    const calls = Array.from({length: AT_ONCE}, async () => {
      while (made.count < CALLS || !isReloaded.value) await call()
    })
    await rig.write({'b/version.txt': '1'})
    t.strictSame(
      await ended,
      Array.from({length: STREAMS}, () => UNAVAILABLE)
    )
    await run.waitForLine(/b: reloaded in \d+ ms.* 0 lost/)
    await call()
    isReloaded.value = true
    await Promise.all(calls)
    t.strictSame([...codes], [0])
    t.equal(processes.size, 2)
    const came = (await readFile(counts, 'utf8')).trimEnd().split('\n')
    t.equal(came.length, made.count, 'no call came twice')
    t.equal(new Set(came).size, made.count)
    const again = client.both()
    again.end(Buffer.from('again'))
    for await (const message of again) t.equal(String(message), 'again')
  })

/** The process of the app. */
const processOf = async (run: Program): Promise<number> =>
  Number((await run.waitForLine('== APP - b == process ')).split(' ').at(-1))

/** Ways in which the callee goes away. */
const WAYS: Readonly<Record<string, (run: Program) => Promise<unknown>>> = {
  'its app is killed': async run => process.kill(await processOf(run), 'SIGKILL'),
  'its run is stopped': async run => run.signal('SIGTERM'),
  'its run is killed': async run => run.signal('SIGKILL')
}

for (const [way, leave] of Object.entries(WAYS))
  for (const isFar of [false, true])
    t.test(`a callee ${isFar ? 'of another run ' : ''}leaves since ${way}: callers learn it at once`, async t => {
      const rig = await openRig(t)
      await rig.template(isFar ? [CALLER] : [CALLER, KINDS])
      if (isFar) await rig.write({'far/dapr.yaml': JSON.stringify({version: 1, apps: [{...KINDS, appDirPath: '.'}]})})
      const near = rig.pillion(['run', '-f', '.'])
      const run = isFar ? rig.pillion(['run', '-f', 'far']) : near
      await run.ports('b')
      const client = echoClient(t, (await near.ports('a')).grpc)
      const waiting = client.call({}, {path: '/test.Echo/Wait'})
      const ended = codesOf(await openStreams(client, 1))
      while ((await client.call({}, {path: '/test.Echo/Waiting'})).answer !== '1') await pause(10)
      await leave(run)
      t.strictSame(await ended, [UNAVAILABLE])
      t.match(await waiting, {code: UNAVAILABLE})
    })

t.test('an app that calls is killed: its callee learns it at once', async t => {
  const rig = await openRig(t)
  const command = [process.execPath, join(APPS, 'grpc-waits.mjs')]
  await rig.template([CALLER, KINDS, {appID: 'c', command, dependsOn: ['b']}])
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  const waiting = async (): Promise<string> => (await client.call({}, {path: '/test.Echo/Waiting'})).answer
  while ((await waiting()) !== '1') await pause(10)
  const line = await run.waitForLine('== APP - c == process ')
  process.kill(Number(line.split(' ').at(-1)), 'SIGKILL')
  while ((await waiting()) !== '0') await pause(10)
  t.equal(await waiting(), '0')
})
