import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]

type Client = ReturnType<typeof echoClient>

/** An app of a copy: its process, and a client of its sidecar. */
interface Place {
  readonly pid: string
  readonly client: Client
}

async function placeOf(t: Test, rig: Rig, folder: string, id: string): Promise<Place> {
  const {stdout} = await rig.run(['ps', id, '-o', 'json'], {folder})
  const [row] = JSON.parse(stdout) as readonly PsRow[]
  if (row === undefined) throw new Error(`no ${id} in ${folder}`)
  return {pid: row.pid.toString(), client: echoClient(t, row.grpcPort)}
}

interface Borrowing {
  readonly rig: Rig
  readonly main: Program
  readonly cart: Place
  readonly stock: Place
  /** Of the copy that borrows stock. */
  readonly ownCart: Place
}

/** Two apps of gRPC in `main`; `pr` runs cart alone, with the rest of main. */
async function openBorrowing(t: Test): Promise<Borrowing> {
  const rig = await openRig(t)
  const app = {appDirPath: '.', autoPort: true, appProtocol: 'grpc', command: ECHO}
  const apps = ['cart', 'stock'].map(appID => ({...app, appID}))
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'main'}), {code: 0})
  rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
  t.match(await rig.run(['wait', '--for', 'ready:cart'], {folder: 'pr'}), {code: 0})
  const [cart, stock, ownCart] = [
    await placeOf(t, rig, 'main', 'cart'),
    await placeOf(t, rig, 'main', 'stock'),
    await placeOf(t, rig, 'pr', 'cart')
  ]
  return {rig, main, cart, stock, ownCart}
}

/** Which process has answered, and with which trace it was called. */
async function ask(
  {client}: Place,
  id: string,
  metadata: Readonly<Record<string, string | Buffer>> = {}
): Promise<{pid: string; trace: string}> {
  const {code, message, head} = await client.call({'dapr-app-id': id, ...metadata})
  if (code !== 0) throw new Error(`${id} has answered ${code}: ${message}`)
  return {pid: String(head.get('x-pid')[0]), trace: String(head.get('x-traceparent')[0])}
}

t.test('a copy calls over gRPC what another one has; what comes from it comes back by its trace', async t => {
  const {main, cart, stock, ownCart} = await openBorrowing(t)
  const lent = await ask(ownCart, 'stock')
  t.equal(lent.pid, stock.pid)
  t.match(lent.trace, /^00-[0-9a-f]{32}-/)
  t.equal((await ask(stock, 'cart', {traceparent: lent.trace})).pid, ownCart.pid, 'the trace says from where it came')
  const [, id = '', span = ''] = lent.trace.split('-')
  const binary = Buffer.concat([
    Buffer.from([0, 0]),
    Buffer.from(id, 'hex'),
    Buffer.from([1]),
    Buffer.from(span, 'hex'),
    Buffer.from([2, 1])
  ])
  t.equal((await ask(stock, 'cart', {'grpc-trace-bin': binary})).pid, ownCart.pid, 'in binary, too')
  const own = await ask(cart, 'stock')
  t.equal((await ask(stock, 'cart', {traceparent: own.trace})).pid, cart.pid, 'another trace belongs to main')
  t.equal((await ask(stock, 'cart')).pid, cart.pid)
  t.match(await main.waitForLine('traceparent', {stream: 'stderr'}), '"stock" calls "cart" without a traceparent')
})

t.test('a stream comes back, too', async t => {
  const {stock, ownCart} = await openBorrowing(t)
  const {trace} = await ask(ownCart, 'stock')
  const stream = stock.client.both({'dapr-app-id': 'cart', traceparent: trace})
  const answerer = new Promise(resolve => stream.on('metadata', head => resolve(String(head.get('x-pid')[0]))))
  stream.end(Buffer.from('hello'))
  for await (const message of stream) t.equal(String(message), 'hello')
  t.equal(await answerer, ownCart.pid)
})
