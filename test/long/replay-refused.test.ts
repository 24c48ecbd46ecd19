import type * as Api from '../../src/model/api.generated.ts'
import {once} from 'node:events'
import http from 'node:http'
import {promisify} from 'node:util'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openShop, STOCK} from '../e2e/replay-scene.ts'

t.test('a call that cannot be sent again gets one line that says why, and what to do', async t => {
  const {rig, call, numberOf} = await openShop(t)
  await call('/items')
  const number = await numberOf('path:/items')
  await call('/big', {method: 'POST', body: 'x'.repeat(20_000)})
  const big = await numberOf('path:/big')
  const refused = async (...words: readonly string[]): Promise<string> => {
    const {code, stdout, stderr} = await rig.run(['replay', ...words])
    t.not(code, 0, words.join(' '))
    return stdout + stderr
  }
  t.match(
    await refused(big.toString(), '--unsafe'),
    /not sent: its body is kept in part only: record\.body of the template sets how much is\n$/
  )
  t.match(await refused('--pin', big.toString()), /^❌ {2}call \d+ is not sent again: its body is kept in part/)
  t.match(await refused('99'), /^❌ {2}there is no call 99: the latest call is number \d+\npillion calls lists them\./)
  t.match(await refused('--pinned'), /^❌ {2}no call is pinned\n/)
  t.match(await refused('--last-failed'), /^❌ {2}there is no failed call that can be sent again\n/)
  t.match(await refused('--window', '30s', 'to:nobody'), /^❌ {2}no call is in the window\n/)
  t.match(await refused('--window', '30s', 'colour:red'), /colour/)
  t.match(await refused('--unpin', number.toString()), /^❌ {2}call \d+ is not pinned\nNo call is pinned\./)
  for (const [words, why] of [
    [['shop'], /^call \d+, POST \/big, shop → stock: not sent: /],
    [['nobody'], /no call matches nobody/],
    [['0'], /"0" is not a call number/],
    [['--pin', 'shop'], /"shop" is not a call number/],
    [['--pin', '1', '2'], /--pin takes no call numbers/],
    [['--pinned', '--last-failed'], /--last-failed and --pinned cannot be combined/],
    [['--window', 'soon'], /invalid argument "soon" for "--window" flag: expected a duration until now \(30s\)/],
    [['--window', '7'], /invalid argument "7" for "--window"/],
    [['1', '-o', 'yaml'], /unknown output format "yaml"/]
  ] as const)
    t.match(await refused(...words), why, words.join(' '))

  t.match(await rig.run(['stop', 'stock']), {code: 0})
  t.match(
    await refused(number.toString()),
    /not sent: stock is stopped: pillion start stock brings it back\n {2}pillion why stock/
  )
  t.match(await rig.run(['start', 'stock']), {code: 0})
  t.match(await rig.run(['stop', 'shop']), {code: 0})
  t.match(await refused(number.toString()), /not sent: shop has no sidecar in this run\n$/)
})

t.test('the latest failed request is sent whole, or not at all', async t => {
  const port = await freePort()
  const {rig, call} = await openShop(t, {autoPort: undefined, port})
  const last = async (): Promise<{code: number | null; stdout: string}> =>
    rig.run(['replay', '--last-failed', '--unsafe'])
  const post = async (...pieces: readonly string[]): Promise<number | undefined> => {
    const request = http.request({host: '127.0.0.1', port, path: '/late', method: 'POST', agent: false})
    request.flushHeaders()
    for (const piece of pieces) await promisify((done: () => void) => request.write(piece, done))()
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
    if (pieces.length > 0) request.end()
    const [{statusCode}] = await answered
    request.destroy()
    return statusCode
  }
  const refused = async (send: () => Promise<unknown>): Promise<void> => {
    await call('/die')
    await send()
    t.match(await rig.run(['restart', 'stock']), {code: 0})
  }
  await call('/fail-before')
  await refused(async () => call('/late', {method: 'POST', body: 'hello'}))
  t.match((await last()).stdout, /POST \/late.*: 500 → 200/)
  t.match(await call('/last'), /"last":"hello"/)
  await refused(async () => t.equal(await post('in ', 'three ', 'pieces'), 503))
  t.match((await last()).stdout, /POST \/late.*: 503 → 200/)
  t.match(await call('/last'), /"last":"in three pieces"/)

  for (const send of [
    async () => call('/late', {method: 'POST', body: 'x'.repeat(10_000_000)}),
    async () => t.equal(await post(), 503, 'a caller that waits for the answer gets it'),
    async () => t.equal(await post('x'.repeat(20_000), 'more'), 503)
  ]) {
    await refused(send)
    const {code, stdout} = await last()
    t.equal(code, 1)
    t.match(stdout, /POST \/late.*\n? *not sent: (?:Pillion refused it before its body|its body is kept in part only)/)
    t.equal(await call('/seen'), '0', 'neither an older call nor a part is sent')
  }
  t.match(await rig.run(['replay', '--last-failed', '--unsafe', '--data', 'hello']), {stdout: /503 → 200/})
})

t.test('replay: false: nothing is sent to that app again', async t => {
  const {rig, call, numberOf} = await openShop(t, {replay: false})
  await call('/items')
  const number = (await numberOf('path:/items')).toString()
  const why = /the template has replay: false for stock/
  t.match(await rig.run(['replay', number]), {code: 1, stdout: why})
  t.match(await rig.run(['replay', '--pin', number]), {code: 1, stderr: why})
  t.match(await rig.run(['replay', '--window', '1m']), {code: 1, stdout: why})
  t.equal(await call('/seen'), '1')
})

t.test('a request that an app has died of twice is not sent by itself a third time', async t => {
  const {rig, run, call, numberOf, save} = await openShop(t)
  await call('/die')
  const number = (await numberOf('path:/die')).toString()
  await run.waitForLine('pillion why 1 shows', {stream: 'stderr'})
  t.match(await rig.run(['replay', '--pin', number]), {code: 0})
  await save('2')
  await run.waitForLine('pillion why 2 shows', {stream: 'stderr'})
  await save('3')
  await run.waitForLine(/stock: reloaded in/, {nth: 2})
  t.match(await call('/items'), /"price":3/, 'it lives')
  const {pins} = JSON.parse((await rig.run(['replay', '-o', 'json'])).stdout) as Api.Pins
  t.match(pins[0]?.results, [
    {replay: {before: {status: 500}, after: {status: 500}}},
    {replay: {after: null, refusal: /stock ended 2 times with this request inside/, hint: /replay --pinned/}}
  ])
  // repaired, and sent by hand: from now on it is sent after each save
  await save('4', STOCK.replace('process.exit(3)', 'return response.end("alive")'))
  await run.waitForLine(/stock: reloaded in/, {nth: 3})
  t.match((await rig.run(['replay', '--pinned'])).stdout, /GET \/die, shop → stock: 500 → 200/)
  await save('5', STOCK.replace('process.exit(3)', 'return response.end("well")'))
  await run.waitForLine(/pinned call \d+, GET \/die, shop → stock: 200, line 1 differs/)
})

t.test('who leaves while a call is sent again ends that call alone', async t => {
  const {rig, run, call, numberOf} = await openShop(t)
  const first = call('/hold')
  await run.waitForLine('held')
  await call('/release')
  await first
  const number = (await numberOf('path:/hold')).toString()
  const replay = rig.pillion(['replay', number])
  await run.waitForLine('held', {nth: 2})
  await replay.end('SIGINT')
  let seen = ''
  while (!/"path":"\/hold","status":0/.test(seen)) seen = (await rig.run(['calls', 'is:replay', '-o', 'ndjson'])).stdout
  t.equal(await call('/release'), 'released')
})
