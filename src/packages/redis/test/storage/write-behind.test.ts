import {mock} from 'node:test'
import {join} from 'node:path'
import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'
import {openKeyFile} from '../../storage/stored-keys.ts'
import {KeyWriter} from '../../storage/key-writer.ts'
import {WriteBehind} from '../../storage/write-behind.ts'

const fail = (): never => {
  throw new Error('the disk is full')
}

t.test('what a flood has left is written after a failure, and told', async t => {
  const warnings: string[] = []
  const behind = new WriteBehind(text => warnings.push(text))
  let isFull = true
  let hasRest = true
  const writer = {
    write: () => new Map(),
    get hasRest() {
      return hasRest
    },
    writeRest: () => {
      if (isFull) throw new Error('the disk is full')
      hasRest = false
    },
    close: () => undefined
  }
  behind.open(writer as unknown as KeyWriter)
  t.equal(behind.journal.save(), false)
  isFull = false
  t.equal(behind.journal.save(), true)
  t.equal(hasRest, false)
  t.same(warnings, [
    'the keys of Redis cannot be written: the disk is full; they are kept in memory until that works',
    'the keys of Redis are written again'
  ])
  behind.close()
})

t.test('what could not be written by the end is said to be lost', async t => {
  const warnings: string[] = []
  const behind = new WriteBehind(text => warnings.push(text))
  behind.open({write: fail, hasRest: false, close: () => undefined} as unknown as KeyWriter)
  const engine = new RedisEngine(behind.journal)
  engine.run(engine.open(), ['SET', 'a', '1'])
  behind.close()
  engine.close()
  t.equal(warnings.at(-1), 'the keys of Redis that could not be written are lost')
})

t.test('a write that stops at large values has what has moved, and only the next move is one again', async t => {
  const behind = new WriteBehind(text => t.fail(text))
  const engine = new RedisEngine(behind.journal)
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  behind.open(new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => t.fail(text)))
  const session = engine.open()
  const large = 'x'.repeat(5_000_000)
  const values = (): number => file.prepare("SELECT id FROM keys WHERE value = CAST('job' AS BLOB)").all().length
  const written = async (): Promise<void> => {
    while (behind.journal.changed.size > 0) {
      await new Promise(resolve => setTimeout(resolve, 5))
      t.equal(values(), 1)
    }
  }
  engine.run(session, ['SET', 'old', 'job'])
  engine.save()
  for (const key of ['a', 'b']) engine.run(session, ['SET', key, large])
  engine.run(session, ['RENAME', 'old', 'new'])
  t.equal(behind.journal.moved.size, 2)
  await written()
  t.equal(behind.journal.moved.size, 0)
  engine.close()
  behind.close()
})

t.test('after a slow write of what belongs together the next is not put off until it is much slower', async t => {
  const writer = {
    write: () => {
      now += 3000
      return new Map()
    },
    hasRest: false,
    close: () => undefined
  }
  let now = 0
  mock.method(performance, 'now', () => now)
  t.teardown(() => mock.restoreAll())
  const behind = new WriteBehind(text => t.fail(text))
  behind.open(writer as unknown as KeyWriter)
  const engine = new RedisEngine(behind.journal)
  const session = engine.open()
  const pauseAfter = (...command: string[]): number => {
    const timers = mock.method(globalThis, 'setTimeout')
    for (let twice = 0; twice < 2; twice++) {
      engine.run(session, command)
      if (twice === 0) behind.journal.save()
    }
    const delay = timers.mock.calls.at(-1)?.arguments[1] ?? 0
    timers.mock.restore()
    behind.journal.save()
    return delay
  }
  t.equal(pauseAfter('MSET', 'a', '1', 'b', '2'), 200)
  t.equal(pauseAfter('SET', 'c', '1'), 12_000, 'one value does not grow meanwhile')
  engine.close()
  behind.close()
})

t.test('a value that no row of the file can hold keeps no other key from it, and is told once', async t => {
  const warnings: string[] = []
  const behind = new WriteBehind(text => warnings.push(text))
  const engine = new RedisEngine(behind.journal)
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  file.limits.length = 1_000_000 // SQLite has a thousand million
  behind.open(
    new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0, lost: new Set()}, text => warnings.push(text))
  )
  const session = engine.open()
  const sizes = (): unknown[] =>
    file
      .prepare('SELECT length(value) AS size FROM keys')
      .all()
      .map(({size}) => size)
  const part = 'x'.repeat(600_000)
  engine.run(session, ['RPUSH', 'queue', part])
  engine.run(session, ['SET', 'a', '1'])
  t.equal(behind.journal.save(), true)
  engine.run(session, ['RPUSH', 'queue', part])
  engine.run(session, ['SET', 'b', '22'])
  t.equal(behind.journal.save(), true)
  engine.run(session, ['RPUSH', 'queue', part])
  t.equal(behind.journal.save(), true)
  t.ok(sizes().includes(600_004), 'the list as it last fitted')
  t.ok(sizes().includes(2), 'what was changed with it')
  engine.run(session, ['LPOP', 'queue', '2'])
  engine.run(session, ['LSET', 'queue', '0', 'xyz'])
  t.equal(behind.journal.save(), true)
  t.ok(sizes().includes(7))
  t.same(warnings, ['the key queue of Redis is too large for its file, which keeps what it had of it before'])
  behind.close()
  engine.close()
})
