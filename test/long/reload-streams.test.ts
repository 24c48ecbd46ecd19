import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openEvents, openLine} from './streams.ts'

const STREAMS = join(import.meta.dirname, '../fixtures/apps/streams.mjs')

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** The methods of the app, through the sidecar of another one. */
  readonly url: string
  readonly save: (version: number) => Promise<void>
  /** A plain call: which version has answered. */
  readonly ask: () => Promise<string>
}

/** An app that streams and is watched, a sidecar from which it is called, and one that is exchanged at each save, too: its line tells that the save was seen. */
async function openShop(t: Test, wishes: Readonly<Record<string, unknown>>): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'order/version.txt': '0'})
  await rig.template([
    {appID: 'order', autoPort: true, watch: true, command: [process.execPath, STREAMS], ...wishes},
    {appID: 'shop', command: []},
    {appID: 'witness', appDirPath: 'order', watch: true, command: ['sleep', '600']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await run.waitForLine('Writing log files', {nth: 3})
  const url = `http://127.0.0.1:${http}/v1.0/invoke/order/method`
  const ask = async (): Promise<string> => {
    const answer = await fetch(`${url}/items`)
    const text = await answer.text()
    return answer.status === 200 ? text : `${answer.status} ${text}`
  }
  return {rig, run, url, save: async version => rig.write({'order/version.txt': version.toString()}), ask}
}

/** A websocket that is opened, answers and is closed: by which version. */
async function askOnce(url: string): Promise<string> {
  const line = await openLine(`${url}/socket`)
  const version = await line.ask()
  await line.leave()
  return version
}

/** Plain calls and short websockets at an even pace, the first one answered, until it is told to end: which versions have answered. */
async function pace({url, ask}: Shop): Promise<() => Promise<readonly string[]>> {
  const answers: Promise<string>[] = [Promise.resolve(await ask())]
  const note = (answer: Promise<string>): void => {
    answers.push(answer.catch((error: unknown) => String(error)))
  }
  const timer = setInterval(() => {
    note(ask())
    if (answers.length % 5 === 0) note(askOnce(url))
  }, 20)
  return async () => {
    clearInterval(timer)
    return Promise.all(answers)
  }
}

t.test('streams that never end are cut and named after the grace; calls and websockets meanwhile wait', async t => {
  const shop = await openShop(t, {stop: {timeout: '3s'}})
  const {run, url, save, ask} = shop
  const events = await openEvents(`${url}/events`)
  const line = await openLine(`${url}/socket`)
  t.same([await events.next(), await line.ask(), await ask()], ['0', '0', '0'])
  const answers = await pace(shop)
  await save(1)
  await run.waitForLine(
    /"order": 2 calls were still in flight 3(?:\.\d)? s after the change and were cancelled: GET \/events from shop, GET \/socket from shop$/,
    {stream: 'stderr'}
  )
  t.equal(await events.isCut, true, 'its reader can tell it from an end')
  t.equal(await line.closed, 1006, 'without a goodbye')
  await run.waitForLine('== APP - order == version 0 ends') // as it does when nobody is connected any more
  const told = await run.waitForLine('order: reloaded')
  const versions = await answers()
  const [, held, lost] = /, (\d+) requests? held .*, (\d+) lost$/.exec(told) ?? []
  t.equal(lost, '2', 'the two streams')
  t.same([...new Set(versions)].toSorted(), ['0', '1'], 'each call and each websocket was answered')
  const byNew = versions.filter(version => version === '1').length
  t.ok(Number(held) > 0 && byNew >= Number(held), `${String(held)} held, ${byNew} answered by the new code`)
  const [again, next] = await Promise.all([openEvents(`${url}/events`), openLine(`${url}/socket`)])
  t.same([await again.next(), await next.ask(), await ask()], ['1', '1', '1'], 'at the same sidecar')
  again.leave()
  await next.leave()
})

t.test('a stream whose reader leaves within the grace holds up the reload no longer', async t => {
  const {run, url, save, ask} = await openShop(t, {stop: {timeout: '600s'}})
  const events = await openEvents(`${url}/events`)
  const line = await openLine(`${url}/socket`)
  await save(1)
  await run.waitForLine('witness: reloaded')
  const answer = ask()
  t.same([await events.next(), await line.ask()], ['0', '0'], 'they run on meanwhile')
  events.leave()
  await line.leave()
  t.match(await run.waitForLine('order: reloaded'), /, 1 request held .*, 0 lost$/)
  t.equal(await answer, '1')
  t.equal(run.stderr.text, '')
})

t.test('with overlap new calls go to the new process at once, and streams run on in the old one', async t => {
  const {run, url, save, ask} = await openShop(t, {reload: 'overlap', stop: {timeout: '600s'}})
  const events = await openEvents(`${url}/events`)
  const line = await openLine(`${url}/socket`)
  await save(1)
  t.match(await run.waitForLine('order: reloaded'), /, 0 requests held, 0 lost$/)
  t.same([await ask(), await askOnce(url)], ['1', '1'])
  t.same([await events.next(), await line.ask()], ['0', '0'], 'what was open runs on')
  t.equal(run.stderr.text, '', 'nothing was cut')
  events.leave()
  await line.leave()
})

t.test('with overlap streams of the old process are cut and named after its grace, new ones are not', async t => {
  const {run, url, save} = await openShop(t, {reload: 'overlap', stop: {timeout: '1s'}})
  const events = await openEvents(`${url}/events`)
  const line = await openLine(`${url}/socket`)
  await save(1)
  await run.waitForLine('order: reloaded')
  const newer = await openEvents(`${url}/events`)
  await run.waitForLine(
    /"order": 2 calls were still in flight 1(?:\.\d)? s after the change and were cancelled: GET \/events from shop, GET \/socket from shop$/,
    {stream: 'stderr'}
  )
  t.equal(await events.isCut, true)
  t.equal(await line.closed, 1006)
  await run.waitForLine('== APP - order == version 0 ends')
  t.equal(await newer.next(), '1', 'a stream of the new process is not touched')
  newer.leave()
})

t.test('with overlap a save does not wait for old processes that still stream', async t => {
  const {run, url, save, ask} = await openShop(t, {reload: 'overlap', stop: {timeout: '600s'}})
  const oldest = await openEvents(`${url}/events`)
  await save(1)
  await run.waitForLine('order: reloaded')
  const older = await openEvents(`${url}/events`)
  await save(2)
  await run.waitForLine('order: reloaded', {nth: 2})
  t.same([await oldest.next(), await older.next(), await ask()], ['0', '1', '2'])
  oldest.leave()
  await run.waitForLine('== APP - order == version 0 ends')
  t.equal(await older.next(), '1')
  older.leave()
  await run.waitForLine('== APP - order == version 1 ends')
  t.equal(run.stderr.text, '')
})

t.test('with overlap "restart" is over when the new process is there, however long the old one streams', async t => {
  const {rig, run, url, ask} = await openShop(t, {reload: 'overlap', stop: {timeout: '600s'}})
  const events = await openEvents(`${url}/events`)
  t.match(await rig.run(['restart', '--app-id', 'order']), {code: 0})
  const newer = await openEvents(`${url}/events`)
  t.same([await events.next(), await newer.next(), await ask()], ['0', '0', '0'])
  events.leave()
  await run.waitForLine('== APP - order == version 0 ends')
  t.equal(await newer.next(), '0')
  newer.leave()
})
