import {join} from 'node:path'
import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'
import {Journal, type ChangedKeys} from '../../engine/journal.ts'
import {pragma} from '../../../../platform/database-file.ts'
import {openKeyFile} from '../../storage/stored-keys.ts'
import {KeyWriter} from '../../storage/key-writer.ts'
import {load} from '../../storage/load.ts'

const MB = 1_000_000

t.test('large values are written a few at a time; a stream and what is gone do not wait', async t => {
  const engine = new RedisEngine()
  const session = engine.open()
  const database = engine.database(0)
  for (const key of ['a', 'b', 'c']) engine.run(session, ['SET', key, 'x'.repeat(2 * MB)])
  engine.run(session, ['XADD', 'topic', '1-0', 'data', 'x'])
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
  const all = (...keys: readonly string[]): ChangedKeys => new Map([[database, new Set(keys)]])
  const rows = (): unknown => file.prepare('SELECT count(*) AS count FROM keys').get()?.['count']

  const left = writer.write(all('a', 'b', 'c', 'topic', 'gone'), 3 * MB)
  t.same([...(left.get(database) ?? [])], ['c'])
  t.equal(rows(), 3)
  t.equal(writer.write(left, 3 * MB).size, 0)
  t.equal(rows(), 4)
  t.equal(writer.write(all('a', 'b', 'c'), Infinity).size, 0, 'at the end, all at once')
  writer.close()
  engine.close()
})

t.test('of very many keys that are gone, a write looks only at those that it removes', async t => {
  const engine = new RedisEngine()
  const session = engine.open()
  const database = engine.database(0)
  const keys = Array.from({length: 10_000}, (_, at) => `key${at}`)
  engine.run(session, ['MSET', ...keys.flatMap(key => [key, 'value'])])
  const writer = new KeyWriter(
    openKeyFile(join(t.testdir(), 'redis.db')),
    {ids: [], serials: new Map(), lastId: 0, lost: new Set()},
    text => t.fail(text)
  )
  let changed: ChangedKeys = new Map([[database, new Set(keys)]])
  t.equal(writer.write(changed).size, 0)
  engine.run(session, ['FLUSHALL'])
  changed = new Map([[database, new Set(keys)]])
  const looks = t.capture(database, 'peek', database.peek.bind(database))
  let left = 0
  for (let writes = 1; writes <= 10; writes++) {
    changed = writer.write(changed, Infinity, 1000)
    left = changed.get(database)?.size ?? 0
    t.equal(left, 10_000 - 1000 * writes)
  }
  t.ok(looks().length <= 20_000, 'not at all of them in each')
  writer.close()
  engine.close()
})

t.test('what moves from one key to another is in the file at every moment', async t => {
  const large = 'x'.repeat(2 * MB)
  const moves: readonly (readonly [before: readonly string[], move: readonly string[], first?: readonly string[]])[] = [
    [
      ['SET', 'old', 'job'],
      ['RENAME', 'old', 'new']
    ],
    [
      ['SET', 'old', 'job'],
      ['MOVE', 'old', '1']
    ],
    [
      ['RPUSH', 'queue', large, 'job'],
      ['RPOPLPUSH', 'queue', 'taken'],
      ['LPUSH', 'queue', 'other']
    ],
    [
      ['SADD', 'open', large, 'job'],
      ['SMOVE', 'open', 'closed', 'job']
    ]
  ]
  for (const [maxBytes, maxKeys] of [
    [MB, Infinity],
    [Infinity, 2]
  ])
    for (const [before, move, first] of moves) {
      const journal = new Journal({wake: () => undefined, writeMany: () => undefined, writeAll: () => true})
      const engine = new RedisEngine(journal)
      const session = engine.open()
      const path = join(t.testdir(), 'redis.db')
      const file = openKeyFile(path)
      const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text =>
        t.fail(text)
      )
      engine.run(session, before)
      writer.write(journal.take())
      if (first !== undefined) engine.run(session, first)
      for (const key of ['a', 'b']) engine.run(session, ['SET', key, large])
      engine.run(session, move)
      let left = journal.take()
      for (let turns = 1; left.size > 0 && turns < 10; turns++) {
        left = writer.write(left, maxBytes, maxKeys, journal.moved)
        const values = file.prepare('SELECT value FROM keys').all()
        t.ok(
          values.some(({value}) => Buffer.from(value as Uint8Array).includes('job')),
          `${move.join(' ')}, after ${turns} turns`
        )
      }
      writer.close()
      engine.close()
    }
})

t.test('what one transaction has saved is in the file as a whole, or not at all', async t => {
  const large = 'x'.repeat(2 * MB)
  for (const [maxBytes, maxKeys] of [
    [MB, Infinity],
    [Infinity, 2]
  ]) {
    const journal = new Journal({wake: () => undefined, writeMany: () => undefined, writeAll: () => true})
    const engine = new RedisEngine(journal)
    const session = engine.open()
    const file = openKeyFile(join(t.testdir(), 'redis.db'))
    const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
    for (const key of ['before', 'other', 'more']) engine.run(session, ['SET', key, large])
    engine.run(session, ['MULTI'])
    for (const key of ['order', 'stock', 'bill']) engine.run(session, ['SET', key, large])
    engine.run(session, ['XADD', 'ordered', '1-0', 'data', 'x'])
    engine.run(session, ['EXEC'])
    engine.run(session, ['MSET', 'one', large, 'two', large, 'three', large])
    let left = journal.take()
    for (let turns = 1; left.size > 0 && turns < 10; turns++) {
      left = writer.write(left, maxBytes, maxKeys, journal.moved)
      const keys = file.prepare("SELECT key FROM keys WHERE CAST(key AS TEXT) IN ('order', 'stock', 'bill')").all()
      t.ok([0, 3].includes(keys.length), `${keys.length} after ${turns} turns`)
      const together = file.prepare("SELECT key FROM keys WHERE CAST(key AS TEXT) IN ('one', 'two', 'three')").all()
      t.ok([0, 3].includes(together.length), `${together.length} of MSET after ${turns} turns`)
      const {messages} = file.prepare('SELECT count(*) AS messages FROM entries').get() ?? {}
      t.equal(messages, keys.length / 3, `its message after ${turns} turns`)
    }
    writer.close()
    engine.close()
  }
})

t.test('what expires behind a transaction is not a part of it', async t => {
  const journal = new Journal({wake: () => undefined, writeMany: () => undefined, writeAll: () => true})
  const engine = new RedisEngine(journal)
  const session = engine.open()
  for (const command of ['SET other 1 PX 1', 'MULTI', 'SET order 1', 'EXEC']) engine.run(session, command.split(' '))
  const end = Date.now() + 2
  while (Date.now() < end);
  engine.database(0).expire('other')
  t.same([...journal.moved], ['order'])
  engine.close()
})

t.test('large messages are written a few at a time, groups behind them: none points at missing ones', async t => {
  const nobody = {wake: () => undefined, writeMany: () => undefined, writeAll: () => true}
  const engine = new RedisEngine(new Journal(nobody))
  const session = engine.open()
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
  const counts = (): unknown =>
    ['entries', 'groups', 'pending'].map(
      table => file.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
    )
  const write = (maxBytes: number): boolean =>
    writer.write(new Map([[engine.database(0), new Set(['topic'])]]), maxBytes).size === 0

  engine.run(session, ['XGROUP', 'CREATE', 'topic', 'app', '0', 'MKSTREAM'])
  for (let n = 1; n <= 6; n++) engine.run(session, ['XADD', 'topic', `${n}-0`, 'data', 'x'.repeat(2 * MB)])
  engine.run(session, ['XREADGROUP', 'GROUP', 'app', 'one', 'STREAMS', 'topic', '>'])
  t.equal(write(3 * MB), false)
  t.same(counts(), [2, 0, 0])
  engine.run(session, ['XDEL', 'topic', '2-0'])
  engine.run(session, ['XDEL', 'topic', '4-0'])
  t.equal(write(3 * MB), false)
  t.same(counts(), [3, 0, 0], 'one has no row any more, one gets none')
  t.equal(write(3 * MB), true)
  t.same(counts(), [4, 1, 6], 'what is read and deleted is pending still, as in Redis')
  for (let n = 7; n <= 9; n++) engine.run(session, ['XADD', 'topic', `${n}-0`, 'data', 'x'.repeat(2 * MB)])
  t.equal(write(Infinity), true, 'at the end, all at once')
  t.same(counts(), [7, 1, 6])
  writer.close()
  engine.close()
})

t.test('what a flood has left is written later, also when the first try does not reach the file', async t => {
  const unheard = {wake: () => undefined, writeMany: () => undefined, writeAll: () => true}
  const engine = new RedisEngine(new Journal(unheard))
  const session = engine.open()
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  let isFull = false
  const prepare = file.prepare.bind(file)
  file.prepare = sql => {
    const statement = prepare(sql)
    if (sql !== 'COMMIT') return statement
    const run = statement.run.bind(statement)
    statement.run = () => {
      if (isFull) throw new Error('database or disk is full')
      return run()
    }
    return statement
  }
  const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
  const entries = (): unknown => file.prepare('SELECT count(*) AS count FROM entries').get()?.['count']

  engine.run(session, ['XGROUP', 'CREATE', 'topic', 'app', '0', 'MKSTREAM'])
  for (let n = 1; n <= 60; n++) engine.run(session, ['XADD', 'topic', `${n}-0`, 'data', 'x'])
  engine.run(session, ['XREADGROUP', 'GROUP', 'app', 'one', 'STREAMS', 'topic', '>'])
  const ids = Array.from({length: 60}, (_, at) => `${at + 1}-0`)
  engine.run(session, ['XACK', 'topic', 'app', ...ids])
  writer.write(new Map([[engine.database(0), new Set(['topic'])]]))
  t.same([entries(), writer.hasRest], [0, true], 'all of them are acknowledged')
  isFull = true
  t.throws(() => writer.writeRest(true), /full/)
  t.same([entries(), writer.hasRest], [0, true], 'they are still to be written')
  isFull = false
  writer.writeRest(true)
  t.same([entries(), writer.hasRest], [60, false])
  engine.run(session, ['XADD', 'topic', '61-0', 'data', 'x'])
  writer.write(new Map([[engine.database(0), new Set(['topic'])]]))
  t.equal(entries(), 61)
  writer.close()
  engine.close()
})

t.test('a stream whose only write has failed leaves no rows without its key; rows of none cost no keys', async t => {
  const unheard = {wake: () => undefined, writeMany: () => undefined, writeAll: () => true}
  const journal = new Journal(unheard)
  const engine = new RedisEngine(journal)
  const session = engine.open()
  const path = join(t.testdir(), 'redis.db')
  const file = openKeyFile(path)
  const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
  engine.run(session, ['SET', 'kept', '1'])
  writer.write(journal.take())
  engine.run(session, ['XGROUP', 'CREATE', 'topic', 'app', '0', 'MKSTREAM'])
  for (let n = 1; n <= 100; n++) engine.run(session, ['XADD', 'topic', `${n}-0`, 'data', 'x'.repeat(1000)])
  engine.run(session, ['XREADGROUP', 'GROUP', 'app', 'one', 'NOACK', 'STREAMS', 'topic', '>'])
  engine.run(session, ['XADD', 'topic', '101-0', 'data', 'x'.repeat(MB)])
  const pages = pragma(file, 'page_count')
  file.exec(`PRAGMA max_page_count = ${pages}`)
  const changed = journal.take()
  t.throws(() => writer.write(changed), /full/)
  file.exec('PRAGMA max_page_count = 1000000')
  engine.run(session, ['DEL', 'topic'])
  journal.keep(changed)
  writer.write(journal.take())
  while (writer.hasRest) writer.writeRest(true)
  t.equal(file.prepare('SELECT count(*) AS count FROM entries').get()?.['count'], 0)
  file.exec("INSERT INTO entries VALUES (1000, 1, 0, x'')")
  writer.close()
  engine.close()

  const again = openKeyFile(path)
  const nextJournal = new Journal(unheard)
  const next = new RedisEngine(nextJournal)
  // as where the disk is still full: what is there is read all the same
  again.exec('PRAGMA query_only = 1')
  const nextWriter = new KeyWriter(again, await load(again, next), text => t.fail(text))
  t.equal(next.run(next.open(), ['GET', 'kept']), '1')
  next.run(next.open(), ['SET', 'kept', '2'])
  const more = nextJournal.take()
  t.throws(() => nextWriter.write(more), /readonly/)
  again.exec('PRAGMA query_only = 0')
  nextWriter.write(more)
  nextWriter.close()
  next.close()
  const last = openKeyFile(path)
  t.equal(last.prepare('SELECT count(*) AS count FROM entries').get()?.['count'], 0)
  last.close()
})

for (const flood of ['', ', after a flood', ', with a flood'])
  t.test(`while a large stream is written, its file counts the entries that it has${flood}`, async t => {
    const journal = new Journal({wake: () => undefined, writeMany: () => undefined, writeAll: () => true})
    const engine = new RedisEngine(journal)
    const session = engine.open()
    const folder = t.testdir()
    const file = openKeyFile(join(folder, 'redis.db'))
    const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text))
    const read = 'XREADGROUP GROUP g c NOACK STREAMS s >'
    for (const command of ['XADD s 1-1 a b', 'XGROUP CREATE s g 0', read]) engine.run(session, command.split(' '))
    writer.write(journal.take())
    const few = flood === '' ? 0 : 100
    for (let at = 1; at <= few; at++) engine.run(session, ['XADD', 's', `2-${at}`, 'data', 'x'])
    engine.run(session, read.split(' ')) // what all have acknowledged has no rows yet
    if (flood === ', after a flood') writer.write(journal.take())
    for (let at = 3; at <= 7; at++) engine.run(session, ['XADD', 's', `${at}-1`, 'data', 'x'.repeat(MB)])
    t.equal(writer.write(journal.take(), 2 * MB).size, 1, 'a part is left')
    // what kill -9 would leave
    file.exec(`VACUUM INTO '${join(folder, 'killed.db')}'`)
    writer.close()
    engine.close()
    const killed = new RedisEngine()
    const left = openKeyFile(join(folder, 'killed.db'))
    await load(left, killed)
    const reader = killed.open()
    const lag = (): unknown =>
      (killed.run(reader, ['XINFO', 'GROUPS', 's']) as never as [Map<string, unknown>])[0].get('lag')
    t.equal(killed.run(reader, ['XLEN', 's']), 3)
    t.equal(lag(), 2)
    killed.run(reader, read.split(' '))
    t.equal(lag(), 0)
    left.close()
    killed.close()
  })
