import {readFileSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {copyExample} from '../rig/example.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const policies = (retries: number): string =>
  `kind: Resiliency
metadata: {name: shop}
scopes: [shop]
spec:
  policies:
    retries: {again: {policy: constant, duration: 1ms, maxRetries: ${retries}}}
    circuitBreakers: {careful: {timeout: 60s, trip: "consecutiveFailures > 2"}}
  targets:
    apps:
      stock: {retry: again}
      fragile: {circuitBreaker: careful}
`

interface Shop {
  readonly rig: Rig
  readonly apps: Readonly<Record<'stock' | 'fragile', Driven>>
  /** Of the sidecar of the caller. */
  readonly url: (callee: string) => string
  readonly log: () => string
  /** Settles when the sidecar's log, which is written behind the calls, matches. */
  readonly logged: (pattern: RegExp) => Promise<void>
}

async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'resources/policies.yaml': policies(2)})
  await rig.template(
    [
      {appID: 'stock', autoPort: true},
      {appID: 'fragile', autoPort: true},
      {appID: 'shop', command: []}
    ],
    {resourcesPath: './resources'}
  )
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, fragile] = await Promise.all([rig.driven('stock'), rig.driven('fragile')])
  await Promise.all([stock.listen(), fragile.listen()])
  const {http} = await run.ports('shop')
  await run.waitForLine('Writing log files', {nth: 3})
  const {stdout} = await rig.run(['list', '-o', 'json'])
  const listed = (JSON.parse(stdout) as {appId: string; daprdLogPath: string}[]).find(({appId}) => appId === 'shop')
  const log = (): string => readFileSync(listed?.daprdLogPath ?? '', 'utf8')
  return {
    rig,
    apps: {stock, fragile},
    url: callee => `http://127.0.0.1:${http}/v1.0/invoke/${callee}/method/items`,
    log,
    logged: async pattern => {
      while (!pattern.test(log())) await pause(10)
    }
  }
}

t.test('a Resiliency of the resources folder is obeyed, and its decisions are in the log and in list', async t => {
  const {rig, apps, url, logged} = await openShop(t)
  await apps.stock.answer({status: 503, body: 'busy'})
  const response = await fetch(url('stock'))
  t.equal(response.status, 503)
  t.equal(await response.text(), 'busy')
  await logged(/Error processing operation endpoint\[stock, stock:items\]\. Retrying in 1ms…/)
  await logged(/shop → stock: 503, retry 2 of 2 in 1 ms/)
  await apps.fragile.answer({status: 500})
  for (let call = 0; call < 3; call++) t.equal((await fetch(url('fragile'))).status, 500)
  const refused = await fetch(url('fragile'))
  t.match(await refused.text(), /failed to invoke, id: fragile, err: circuit breaker is open/)
  await logged(/circuit breaker fragile:items: open for 60 s/)
  const {stdout} = await rig.run(['list', '-o', 'json'])
  t.match(JSON.parse(stdout), [{}, {}, {appId: 'shop', circuitBreakers: [{name: 'fragile:items', state: 'open'}]}])
})

t.test('policies change while calls are made, and none is lost; a broken file keeps the last good one', async t => {
  const {rig, apps, url, log} = await openShop(t)
  await apps.stock.answer({status: 200, body: 'ok'})
  const traffic = {isOver: false, calls: 0}
  const failures: unknown[] = []
  const caller = async (): Promise<void> => {
    while (!traffic.isOver) {
      const {status} = await fetch(url('stock'))
      traffic.calls++
      if (status !== 200) failures.push(status)
    }
  }
  const callers = Promise.all(Array.from({length: 4}, caller))
  for (let edit = 3; edit < 23; edit++) {
    await rig.write({'resources/policies.yaml': policies(edit)})
    const enough = traffic.calls + 20
    while (traffic.calls < enough) await pause(10)
  }
  traffic.isOver = true
  await callers
  t.same(failures, [])
  await rig.write({'resources/policies.yaml': policies(4)})
  await apps.stock.answer({status: 503})
  // the watcher waits until the file is at rest
  while (!log().includes('retry 4 of 4')) await fetch(url('stock'))
  await rig.write({
    'resources/policies.yaml': 'kind: Resiliency\nspec: {policies: {retries: {again: {duration: soon}}}}\n'
  })
  t.equal((await fetch(url('stock'))).status, 503)
})

t.test('the example runs', async t => {
  const rig = await openRig(t)
  const {folder, appPort} = await copyExample(rig, 'resilient')
  const stock = `http://127.0.0.1:${appPort}`
  const run = rig.pillion(['run', '-f', folder])
  await run.waitForLine(/== APP - shop == 200 after/)
  const broken = await fetch(`${stock}/break`, {method: 'POST'})
  t.equal(broken.status, 200)
  await run.waitForLine(/shop → stock: 503, retry 1 of 2 in 300 ms/)
  await run.waitForLine(/circuit breaker stock:items\/pen: open for 5 s/)
  await fetch(`${stock}/repair`, {method: 'POST'})
  await run.waitForLine(/circuit breaker stock:items\/pen: closed/)
  t.match(await run.end('SIGINT'), {code: 0})
})
