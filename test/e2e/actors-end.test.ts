import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openActors, post, until, worksOf} from './actors-house.ts'

/** Of the processes that have worked, in their order. */
const pidsOf = (lines: readonly {readonly pid: number}[]): readonly number[] => [...new Set(lines.map(({pid}) => pid))]

t.test('actors are let go when their app is stopped, and when the run ends: the app can save their state', async t => {
  const {rig, run, call, journal} = await openActors(t)
  for (const id of ['1', '2'])
    t.match(await call('shop', `/Counter/${id}/method/add`, post('1')), {status: 200, body: '1'})
  t.match(await rig.run(['stop', '--app-id', 'host']), {code: 0})
  const gone = (id: string): number => worksOf(journal(), `Counter/${id}`).filter(work => work === 'gone').length
  t.strictSame([gone('1'), gone('2')], [1, 1])
  t.match(await rig.run(['start', 'host']), {code: 0})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '2'})
  const slow = call('shop', '/Counter/2/method/slow', post('300'))
  const calls = (): number => worksOf(journal(), 'Counter/2').filter(work => work === 'slow').length
  await until(() => calls() === 1)
  await run.end('SIGINT')
  t.match(await slow, {status: 200, body: '300'}, 'a call under way ends')
  t.strictSame([gone('1'), gone('2')], [2, 2])
})

t.test('with overlap the old process lets its actors go before the next one has them', async t => {
  const {rig, run, call, journal} = await openActors(t, {LATE: '200'}, {reload: 'overlap'})
  const over = new AbortController()
  let count = 0
  const load = (async () => {
    for (; !over.signal.aborted; await pause(2)) {
      const {status, body} = await call('shop', '/Counter/1/method/add', post('1'))
      t.match({status, body}, {status: 200, body: `${++count}`})
    }
  })()
  const idle = await call('shop', '/Counter/2/method/add', post('1'))
  t.match(idle, {status: 200})
  for (let save = 1; save <= 2; save++) {
    await until(() => worksOf(journal(), 'Counter/1').at(-1) === 'add')
    await rig.write({'host/version.txt': `${save}`})
    await run.waitForLine(/^ℹ️ {2}host: reloaded in /, {nth: save})
    await until(() => pidsOf(journal()).length === save + 1)
  }
  over.abort()
  await load
  const pids = pidsOf(journal())
  t.equal(pids.length, 3)
  for (const pid of pids.slice(0, 2)) {
    const own = journal().filter(line => line.pid === pid)
    t.equal(own.at(-1)?.work, 'gone', 'nothing comes after that')
    t.ok(worksOf(own, 'Counter/1').includes('gone'))
  }
  t.equal(worksOf(journal(), 'Counter/2').filter(work => work === 'gone').length, 1)
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
})
