/** What `src/packages/redis/test/storage.test.ts` does with a few changes, with tens of thousands. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {join} from 'node:path'
import t from 'tap'
import {fileIn, open, rowsIn, walkStreams} from '../../src/packages/redis/test/stored.ts'

t.test('streams that are renamed, trimmed, deleted and made anew are written as they are: 17 more walks', async t =>
  walkStreams(t, 4, 20)
)

t.test('a burst is written while it goes on: kill -9 loses the last few thousand changes at most', async t => {
  const file = fileIn(t)
  const child = spawn(process.execPath, [join(import.meta.dirname, '../fixtures/redis-burst.ts'), file], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
  t.same(await once(child, 'exit'), [null, 'SIGKILL'])
  const {redis, run, warnings} = await open(file)
  t.same(warnings, [])
  const items = Number(await run('DBSIZE')) - 1
  const messages = Number(await run('XLEN', 'topic'))
  t.ok(items >= 48_000, items.toString())
  t.ok(messages >= 48_000, messages.toString())
  t.equal(await run('EXISTS', 'app||1', `app||${items}`), 2, 'what is lost is the last')
  const [pending] = (await run('XPENDING', 'topic', 'g')) as readonly number[]
  t.ok(Number(pending) >= 24_000 && Number(pending) <= 25_000, 'what was being processed is known')
  await redis.close()
})

t.test('what every group has acknowledged is dropped beyond ten thousand entries', async t => {
  const file = fileIn(t)
  const {redis, run} = await open(file)
  await run('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
  await run('XGROUP', 'CREATE', 's', 'slow', '0')
  for (let at = 1; at <= 10_500; at++) await run('XADD', 's', `${at}-0`, 'data', 'x')
  const read = async (group: string): Promise<void> => {
    await run('XREADGROUP', 'GROUP', group, 'c', 'STREAMS', 's', '>')
    for (let at = 1; at <= 10_500; at++) if (at !== 300) await run('XACK', 's', group, `${at}-0`)
  }
  await read('g')
  t.equal(await run('XLEN', 's'), 10_500)
  await read('slow')
  t.equal(await run('XLEN', 's'), 10_500 - 299)
  await run('XACK', 's', 'g', '300-0')
  await run('XACK', 's', 'slow', '300-0')
  t.equal(await run('XLEN', 's'), 10_000)
  await redis.close()
  t.same(rowsIn(file), {keys: 1, entries: 10_000, groups: 2, pending: 0})
})
