import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {DatabaseSync} from 'node:sqlite'
import {basename, dirname, join} from 'node:path'
import t from 'tap'
import {fileIn, open, rowsIn, walkStreams, written} from './stored.ts'
import {dump} from '../../../../test/rig/redis-keys.ts'

t.test('what is in a database is there again', async t => {
  const file = fileIn(t)
  const first = await open(file)
  await first.run('SET', Buffer.from([0, 255, 10]), Buffer.from([13, 0, 254]))
  await first.run('SET', 'soon', 'x', 'EX', '1000')
  await first.run('HSET', 'app||k', 'data', '{"a":1}', 'version', '3')
  await first.run('RPUSH', 'list', 'a', '', 'b')
  await first.run('SADD', 'set', 'a', 'b')
  await first.run('ZADD', 'zset', '1.5', 'a', '-inf', 'b', 'inf', 'c')
  for (let at = 1; at <= 5; at++) await first.run('XADD', 'topic', `${at}-0`, 'data', 'x', 'metadata', '{}')
  await first.run('XGROUP', 'CREATE', 'topic', 'g', '0')
  await first.run('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '3', 'STREAMS', 'topic', '>')
  await first.run('XACK', 'topic', 'g', '2-0')
  await first.run('XDEL', 'topic', '5-0')
  const before = await dump(first.connection)
  await first.redis.close()
  const second = await open(file)
  t.same(await dump(second.connection), before)
  t.equal(Object.keys(before).length, 7)
  await second.run('SELECT', '3')
  await second.run('SET', 'elsewhere', '1')
  await second.run('SELECT', '0')
  await second.run('DEL', 'topic')
  await second.redis.close()
  t.same(rowsIn(file), {keys: 7, entries: 0, groups: 0, pending: 0})
  t.same([first.warnings, second.warnings], [[], []])
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(dirname(file)).mode & 0o777, 0o700)
})

t.test('a file of the first version, which found keys by an index, is taken over', async t => {
  const file = fileIn(t)
  const first = await open(file)
  for (let at = 0; at < 300; at++) await first.run('HSET', `h${at}`, 'data', 'x')
  await first.run('SET', 'soon', 'x', 'EX', '1000')
  await first.run('XADD', 'topic', '1-0', 'data', 'x')
  const before = await dump(first.connection)
  await first.redis.close()
  const database = new DatabaseSync(file)
  database.exec(`
    ALTER TABLE keys RENAME TO later;
    CREATE TABLE keys (db INTEGER, key BLOB, type TEXT, expires INTEGER, value BLOB, PRIMARY KEY (db, key));
    INSERT INTO keys SELECT db, key, type, expires, value FROM later ORDER BY id;
    DROP TABLE later;
    PRAGMA user_version = 1`)
  database.close()
  const second = await open(file)
  t.same(await dump(second.connection), before)
  await second.run('DEL', 'h7', 'topic')
  await second.run('HSET', 'h8', 'data', 'y')
  const changed = await dump(second.connection)
  await second.redis.close()
  const third = await open(file)
  t.same(await dump(third.connection), changed)
  t.same([second.warnings, third.warnings], [[], []])
  await third.redis.close()
  t.same(rowsIn(file), {keys: 300, entries: 0, groups: 0, pending: 0})
})

t.test('a message that is delivered and acknowledged between two writes, or across them, leaves no row', async t => {
  const file = fileIn(t)
  const {redis, run} = await open(file)
  await run('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
  for (let at = 1; at <= 4; at++) await run('XADD', 's', `${at}-0`, 'data', 'x')
  const read = async (): Promise<unknown> => run('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '1', 'STREAMS', 's', '>')
  const pending = (): unknown => {
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, `${file}.copy${suffix}`)
    return rowsIn(`${file}.copy`)['pending']
  }
  await read()
  await run('XACK', 's', 'g', '1-0')
  await read()
  await run('SAVE')
  t.equal(pending(), 1)
  // acknowledged, claimed and acknowledged again: its row must go
  await run('XACK', 's', 'g', '2-0')
  await run('XCLAIM', 's', 'g', 'd', '0', '2-0', 'FORCE')
  await run('XACK', 's', 'g', '2-0')
  await read()
  await run('SAVE')
  t.equal(pending(), 1)
  await run('XCLAIM', 's', 'g', 'd', '0', '3-0')
  await run('SAVE')
  t.equal(pending(), 1)
  await run('XACK', 's', 'g', '3-0')
  await run('SAVE')
  t.equal(pending(), 0)
  await redis.close()
})

t.test('of many messages at once, those that every group has acknowledged are written later', async t => {
  const file = fileIn(t)
  const {redis, connection, run} = await open(file)
  const flood = async (stream: string): Promise<void> => {
    const ids = Array.from({length: 200}, (_, at) => `${at + 1}-0`)
    await run('XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM')
    await run('SAVE')
    for (const id of ids) await run('XADD', stream, id, 'data', 'x')
    await run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', stream, '>')
    await run('XACK', stream, 'g', ...ids.slice(0, 150))
  }
  await flood('s')
  await untilEntries(file, 50) // those that are pending
  await untilEntries(file, 200) // all, when nothing changes any more
  await run('XTRIM', 's', 'MAXLEN', '0')
  await untilEntries(file, 0)
  await flood('other')
  await untilEntries(file, 50)
  await run('XGROUP', 'CREATE', 'other', 'late', '0')
  await untilEntries(file, 200) // a group that has read none of them needs them
  await flood('third')
  await untilEntries(file, 250)
  await run('SAVE')
  t.equal(entriesIn(file), 400)
  await flood('last')
  const before = await dump(connection)
  await redis.close()
  t.equal(entriesIn(file), 600)
  const again = await open(file)
  t.same(await dump(again.connection), before)
  await again.redis.close()
})

function entriesIn(file: string): unknown {
  for (const suffix of ['', '-wal'].filter(each => existsSync(file + each)))
    copyFileSync(file + suffix, `${file}.copy${suffix}`)
  return rowsIn(`${file}.copy`)['entries']
}

/** Looks again each time the file is written. */
async function untilEntries(file: string, count: number): Promise<void> {
  while (entriesIn(file) !== count) await written(file)
}

t.test('streams that are renamed, trimmed, deleted and made anew are written as they are', async t =>
  walkStreams(t, 1, 3)
)

t.test('after kill -9 the lock is free, and what was written is there', async t => {
  const file = fileIn(t)
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../../../test/fixtures/redis-holder.ts'), file],
    {stdio: ['ignore', 'pipe', 'inherit']}
  )
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  t.equal(line.toString(), 'written\n')
  const busy = await open(file)
  t.same(busy.warnings, [], 'one sentence says it')
  t.equal(busy.redis.where, `in memory only: another process has ${file} open`)
  t.ok(busy.redis.isForgetful)
  await busy.redis.close()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const {redis, run, warnings} = await open(file)
  t.same(warnings, [])
  t.same(await run('GET', 'kept'), Buffer.from('1'))
  t.equal(await run('XLEN', 'stream'), 1000)
  await redis.close()
})

t.test('a file that cannot be used is kept and named, and a fresh one begun', async t => {
  const damages: Readonly<Record<string, (file: string) => void>> = {
    'is damaged': file => writeFileSync(file, 'not a database, but a text of some length'),
    'is damaged in the middle': file => {
      const bytes = readFileSync(file)
      bytes.fill(0xee, 4096, bytes.length - 4096)
      writeFileSync(file, bytes)
    },
    'newer version of Pillion': file => {
      const database = new DatabaseSync(file)
      database.exec('PRAGMA user_version = 99')
      database.close()
    },
    'another program': file => {
      const database = new DatabaseSync(file)
      database.exec('PRAGMA application_id = 1')
      database.close()
    },
    'is damaged: a value': file => {
      const database = new DatabaseSync(file)
      database.exec("UPDATE keys SET value = x'ffffffff' WHERE type = 'hash'")
      database.close()
    }
  }
  for (const [name, damage] of Object.entries(damages)) {
    const file = join(t.testdir(), 'redis.db')
    const first = await open(file)
    for (let at = 0; at < 500; at++) await first.run('HSET', `h${at}`, 'data', 'x'.repeat(100))
    await first.redis.close()
    damage(file)
    const second = await open(file)
    t.equal(second.warnings.length, 1, name)
    t.match(second.warnings[0], name.replace(/ in the.*|: a.*/, ''))
    const kept = /They are kept in (\S+);/.exec(second.warnings[0] ?? '')?.[1] ?? ''
    t.ok(existsSync(kept), kept)
    t.equal(await second.run('DBSIZE'), 0)
    await second.run('SET', 'a', '1')
    await second.redis.close()
    const third = await open(file)
    t.same(third.warnings, [])
    t.same(await third.run('GET', 'a'), Buffer.from('1'))
    await third.redis.close()
    t.equal(readdirSync(dirname(file)).filter(each => each.startsWith(basename(file))).length, 2)
  }
})

t.test('a folder that cannot be made leaves the keys in memory, and says so', async t => {
  const folder = t.testdir({file: ''})
  const {redis, run, warnings} = await open(join(folder, 'file/redis.db'))
  t.same(warnings, [])
  t.match(redis.where, /^in memory only: .*file/)
  t.equal(await run('SET', 'a', '1'), 'OK')
  await redis.close()
})

t.test('an expired key is gone from the file too', async t => {
  const file = fileIn(t)
  const first = await open(file)
  await first.run('SET', 'a', '1', 'PX', '1')
  const gone = first.connection.command(['BLPOP', 'a', '0']).catch(() => {})
  await first.redis.close()
  await gone
  const second = await open(file)
  while ((await second.run('EXISTS', 'a')) === 1);
  await second.redis.close()
  t.same(rowsIn(file), {keys: 0, entries: 0, groups: 0, pending: 0})
})

t.test('SAVE answers when everything is in the file', async t => {
  const file = fileIn(t)
  const {redis, run} = await open(file)
  await run('SET', 'a', '1')
  t.equal(await run('SAVE'), 'OK')
  // a copy as a kill would leave it
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, `${file}.copy${suffix}`)
  t.match(rowsIn(`${file}.copy`), {keys: 1})
  await redis.close()
})

t.test('a client whose clock is far from ours claims as of now, and the file can be read again', async t => {
  const file = fileIn(t)
  const first = await open(file)
  await first.run('XADD', 's', '1-1', 'data', 'x')
  await first.run('XGROUP', 'CREATE', 's', 'g', '0')
  await first.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')
  for (const time of [
    ['IDLE', '9223372036854775807'],
    ['TIME', '9223372036854775807'],
    ['IDLE', '-9223372036854775808']
  ]) {
    await first.run('XCLAIM', 's', 'g', 'c', '0', '1-1', ...time)
    await first.run('SAVE')
    const [[, , idle] = []] = (await first.run('XPENDING', 's', 'g', '-', '+', '1')) as readonly unknown[][]
    t.ok(Number(idle) < 60_000, time.join(' '))
  }
  await first.redis.close()
  const second = await open(file)
  t.equal(second.redis.where, `in ${file}`)
  t.equal(await second.run('XLEN', 's'), 1)
  await second.redis.close()
  t.same([first.warnings, second.warnings], [[], []])
})
