import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

interface Borrowing {
  readonly rig: Rig
  readonly main: Program
  readonly pr: Program
  readonly cart: Driven
  readonly stock: Driven
  /** The one that the second copy runs itself. */
  readonly ownCart: Driven
}

async function listening(rig: Rig, id: string): Promise<Driven> {
  const app = await rig.driven(id)
  await app.listen()
  return app
}

/** Two worktrees: `main` runs cart and stock, `pr` cart alone, with the rest of main. */
async function openBorrowing(t: Test): Promise<Borrowing> {
  const rig = await openRig(t)
  const app = {appDirPath: '.', autoPort: true, command: rig.drivenCommand}
  const apps = [
    {...app, appID: 'cart', dependsOn: ['stock']},
    {...app, appID: 'stock'}
  ]
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
  const main = rig.pillion(['up'], {folder: 'main'})
  const stock = await listening(rig, 'stock')
  const cart = await listening(rig, 'cart')
  const pr = rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
  const ownCart = await listening(rig, 'cart')
  return {rig, main, pr, cart, stock, ownCart}
}

const invoke = async (app: Driven, path: string, traceparent = ''): Promise<string> => {
  const headers = traceparent === '' ? {} : {traceparent}
  return (await app.fetch(`/v1.0/invoke/${path}`, {headers})).body
}

const answer = async (app: Driven, body: string): Promise<string> => {
  const request = await app.nextRequest()
  await request.reply({body})
  return request.headers['traceparent'] ?? ''
}

t.test('a copy runs one app and calls the rest in another one; what comes from it comes back', async t => {
  const {rig, main, pr, cart, stock, ownCart} = await openBorrowing(t)
  t.match(
    await pr.waitForLine('called in main', {stream: 'stderr'}),
    `stock: called in main (pid ${main.pid}). Calls go there and come back; events, state and workflows do not cross`
  )
  t.match((await rig.run(['ps'], {folder: 'pr'})).stdout, /\nstock: stopped here, and called in main\n$/)
  t.notMatch((await rig.run(['ps'], {folder: 'main'})).stdout, 'called in')
  const asked = invoke(ownCart, 'stock/method/items')
  const request = await stock.nextRequest()
  const {traceparent = ''} = request.headers
  const back = invoke(stock, 'cart/method/price', traceparent)
  await answer(ownCart, 'pr')
  t.equal(await back, 'pr', 'the trace says from where it came')
  await request.reply({body: 'items'})
  t.equal(await asked, 'items')
  const own = invoke(cart, 'stock/method/items')
  const trace = await answer(stock, 'items')
  await own
  const stays = invoke(stock, 'cart/method/price', trace)
  await answer(cart, 'main')
  t.equal(await stays, 'main', 'another trace belongs to main')
  const lost = invoke(stock, 'cart/method/price')
  await answer(cart, 'main')
  t.equal(await lost, 'main')
  t.match(
    await main.waitForLine('traceparent', {stream: 'stderr'}),
    '"stock" calls "cart" without a traceparent: the call stays here, also if it belongs to one of "pr", which has a "cart" of its own'
  )
})

t.test('a trace that has come from a copy is its own while its call is under way, not when it comes again', async t => {
  const {cart, stock, ownCart} = await openBorrowing(t)
  const fixed = `00-${'4'.repeat(32)}-${'5'.repeat(16)}-01`
  await Promise.all([cart.answer({body: 'main'}), ownCart.answer({body: 'pr'}), stock.answer({body: 'items'})])
  t.equal(await invoke(ownCart, 'stock/method/items', fixed), 'items')
  t.equal(await invoke(stock, 'cart/method/price', fixed), 'pr', 'an app may call on after its answer')
  while ((await invoke(stock, 'cart/method/price', fixed)) !== 'main') await new Promise(setImmediate)
  t.pass('a while later it is a request of main')
})

t.test('an app that a copy starts later is its own for calls on their way back', async t => {
  const rig = await openRig(t)
  const app = {appDirPath: '.', autoPort: true, command: rig.drivenCommand}
  const apps = ['web', 'cart', 'stock'].map(appID => ({...app, appID}))
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
  rig.pillion(['up'], {folder: 'main'})
  const [web, , stock] = await Promise.all(apps.map(async ({appID}) => listening(rig, appID)))
  const pr = rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
  const ownCart = await listening(rig, 'cart')
  await pr.waitForLine('called in main', {stream: 'stderr'})
  const started = rig.run(['start', 'stock'], {folder: 'pr'})
  const ownStock = await listening(rig, 'stock')
  t.match(await started, {code: 0})
  await Promise.all([stock?.answer({body: 'main'}), ownStock.answer({body: 'pr'})])
  const asked = invoke(ownCart, 'web/method/page')
  if (web === undefined) throw new Error('web runs')
  const request = await web.nextRequest()
  t.equal(await invoke(web, 'stock/method/items', request.headers['traceparent']), 'pr')
  await request.reply({body: 'page'})
  t.equal(await asked, 'page')
})

t.test(
  'a borrowed app with a fixed port is started at a port of its own, and borrowed again once it is stopped',
  async t => {
    const rig = await openRig(t)
    const ports = await freePorts(2)
    const apps = ['cart', 'stock'].map((appID, at) => ({
      appID,
      appDirPath: '.',
      appPort: ports[at],
      env: {STOCK_URL: `http://localhost:${ports[1]}`},
      command: rig.drivenCommand
    }))
    await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
    rig.pillion(['up'], {folder: 'main'})
    const [, stock] = await Promise.all(apps.map(async ({appID}) => listening(rig, appID)))
    const pr = rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
    const ownCart = await listening(rig, 'cart')
    await pr.waitForLine('called in main', {stream: 'stderr'})
    const started = rig.run(['start', 'stock'], {folder: 'pr'})
    const ownStock = await listening(rig, 'stock')
    t.match(await started, {code: 0})
    t.not(ownStock.env['APP_PORT'], String(ports[1]))
    t.equal(ownCart.env['STOCK_URL'], `http://localhost:${ports[1]}`, 'where main has it')
    await Promise.all([stock?.answer({body: 'main'}), ownStock.answer({body: 'pr'})])
    t.equal(await invoke(ownCart, 'stock/method/items'), 'pr')
    t.match(await rig.run(['stop', 'stock'], {folder: 'pr'}), {code: 0})
    await ownStock.closed
    t.equal(await invoke(ownCart, 'stock/method/items'), 'main')
  }
)

t.test('a borrowed app with a published port is called where the other copy has it', async t => {
  const rig = await openRig(t)
  const [cart, stock] = await freePorts(2)
  const env = {STOCK_URL: `http://localhost:${stock}`}
  const each = {appDirPath: '.', env, command: rig.drivenCommand}
  const apps = [
    {...each, appID: 'cart', port: cart},
    {...each, appID: 'stock', port: stock}
  ]
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})}, ['pr', 'two'])
  const borrowed = async (folder: string, from: string): Promise<string | undefined> => {
    const run = rig.pillion(['up', '--only', 'cart', '--rest', from], {folder})
    const own = await listening(rig, 'cart')
    await run.waitForLine(`called in ${from}`, {stream: 'stderr'})
    run.signal('SIGTERM')
    await run.exited
    return own.env['STOCK_URL']
  }
  rig.pillion(['up'], {folder: 'main'})
  await Promise.all(apps.map(async ({appID}) => listening(rig, appID)))
  t.equal(await borrowed('pr', 'main'), `http://localhost:${stock}`)
  rig.pillion(['up'], {folder: 'pr'})
  await Promise.all(apps.map(async ({appID}) => listening(rig, appID)))
  const {stdout} = await rig.run(['url', 'stock'], {folder: 'pr'})
  t.not(stdout, `http://localhost:${stock}\n`)
  t.equal(await borrowed('two', 'pr'), stdout.trim())
})

t.test('either copy may go, and come again', async t => {
  const {rig, main, pr, cart, stock, ownCart} = await openBorrowing(t)
  const asked = invoke(ownCart, 'stock/method/items')
  const trace = await answer(stock, 'items')
  await asked
  pr.signal('SIGKILL')
  await ownCart.closed
  const later = invoke(stock, 'cart/method/price', trace)
  await answer(cart, 'main')
  t.equal(await later, 'main', 'who has borrowed is gone')
  const again = rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
  const next = await listening(rig, 'cart')
  await again.waitForLine('called in main', {stream: 'stderr'})
  main.signal('SIGKILL')
  await stock.closed
  t.match(await invoke(next, 'stock/method/items'), /the run \\"main\\", which is to answer for it, is not there/)
  rig.pillion(['up'], {folder: 'main'})
  const stock2 = await listening(rig, 'stock')
  await listening(rig, 'cart')
  const found = invoke(next, 'stock/method/items')
  await answer(stock2, 'again')
  t.equal(await found, 'again')
})

t.test('an app that the other copy has at another `port` is called there', async t => {
  const rig = await openRig(t)
  const [port = 0] = await freePorts(1)
  const apps = [
    {appID: 'stock', appDirPath: '.', port, command: rig.drivenCommand},
    {
      appID: 'cart',
      appDirPath: '.',
      autoPort: true,
      command: rig.drivenCommand,
      env: {STOCK: `http://127.0.0.1:${port}/items`}
    }
  ]
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
  rig.pillion(['up', '--only', 'stock', '--isolated'], {folder: 'main'})
  const stock = await listening(rig, 'stock')
  rig.pillion(['up', '--only', 'cart', '--rest', 'main'], {folder: 'pr'})
  const cart = await listening(rig, 'cart')
  const asked = fetch(cart.env['STOCK'] ?? '')
  await (await stock.nextRequest()).reply({body: 'ten'})
  t.equal(await (await asked).text(), 'ten')
})

t.test('--rest without anything to borrow says what to do', async t => {
  const rig = await openRig(t)
  const app = {appDirPath: '.', command: ['sleep', '60']}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {...app, appID: 'cart'},
        {...app, appID: 'stock'}
      ]
    })
  })
  const refused = async (args: readonly string[]): Promise<string> => {
    const {code, stderr} = await rig.run(['up', ...args], {folder: 'pr'})
    t.equal(code, 1)
    return stderr
  }
  t.match(
    await refused(['--rest', 'main']),
    /--rest main has nothing to do: no app is left out[^]*--only APP --rest main/
  )
  t.match(await refused(['--only', 'cart', '--rest', 'main']), /"main", and no run is called so[^]*No other copy/)
  const main = rig.pillion(['up'], {folder: 'main'})
  await main.waitForLine('Writing log files', {nth: 2})
  t.match(await refused(['--only', 'cart', '--rest', 'man']), /"man", and no run is called so[^]*The copies are: main/)
  t.match(await rig.run(['run', '-a', 'x', '--rest', 'main', '--', 'true']), {code: 1, stderr: /add --run-file/})
})
