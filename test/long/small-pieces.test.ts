import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {inPieces} from '../rig/one-byte.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {residentMegabytes} from '../rig/usage.ts'

/** What a run may take more than at its start, in MB; as one buffer for each byte these bodies would take gigabytes. */
const MOST_MB = 250

/** Answers our own question with a list of subscriptions that is large, and comes in chunks of one byte; all else with 200. */
const APP = `
import {createServer} from 'node:net'
const chunks = text => text.replaceAll(/[^]/g, '1\\r\\n$&\\r\\n')
const padding = Buffer.from(chunks(' '.repeat(10_000)))
createServer(socket => socket.on('error', () => undefined).on('data', bytes => {
  const text = bytes.toString('latin1')
  if (!text.startsWith('GET /dapr/subscribe')) return socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}')
  socket.write('HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n')
  for (let i = 0; i < 400; i++) socket.write(padding)
  socket.write(chunks('[{"pubsubname":"pubsub","topic":"orders","route":"orders"}]') + '0\\r\\n\\r\\n')
})).listen(process.env.APP_PORT, '127.0.0.1')
`

/** The most memory of a run while something happens, in MB more than before. */
async function growth(pid: number, before: number, work: Promise<unknown>): Promise<number> {
  const over = work.then(() => true)
  let most = before
  do most = Math.max(most, await residentMegabytes(pid))
  while (!(await Promise.race([over, pause(20, false)])))
  return most - before
}

const open = async (rig: Rig) => {
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  return {run, port: http}
}

t.test('bodies in pieces of one byte are read in the memory of their bytes', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const {run, port} = await open(rig)
  await rig.run(['wait', '--for', 'ready'])
  const before = await residentMegabytes(run.pid)
  const value = 'x'.repeat(2_000_000)
  const posts = Promise.all([
    ...[1, 2, 3].map(async key =>
      inPieces({port, path: '/v1.0/state/statestore', body: JSON.stringify([{key: key.toString(), value}])})
    ),
    ...[1, 2, 3].map(async () => inPieces({port, path: '/v1.0/publish/pubsub/orders', body: JSON.stringify({value})}))
  ])
  const grown = await growth(run.pid, before, posts)
  t.strictSame(
    await posts,
    Array.from({length: 6}, () => '204')
  )
  t.ok(grown < MOST_MB, `${grown.toFixed()} MB`)
  const kept = await fetch(`http://127.0.0.1:${port}/v1.0/state/statestore/2`)
  t.ok((await kept.json()) === value, 'every byte has come')
})

t.test('so are answers to our own questions', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  const ids = ['shop', 'stock', 'cart']
  await rig.template(
    ids.map(appID => ({appID, appDirPath: '.', autoPort: true, command: [process.execPath, 'app.mjs']}))
  )
  const {run, port} = await open(rig)
  const before = await residentMegabytes(run.pid)
  const subscribed = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1.0/metadata`)
      const {subscriptions = []} = (await answer.json()) as {readonly subscriptions?: readonly object[]}
      if (subscriptions.length > 0) return
      await pause(100)
    }
  }
  const grown = await growth(run.pid, before, subscribed())
  t.ok(grown < MOST_MB, `${grown.toFixed()} MB`)
})
