import {join} from 'node:path'
import t from 'tap'
import type {Database} from '../../engine/database.ts'
import {RedisEngine} from '../../engine/engine.ts'
import {openKeyFile} from '../../storage/key-file.ts'
import {KeyWriter} from '../../storage/key-writer.ts'

const MB = 1_000_000

t.test('large values are written a few at a time; a stream and what is gone do not wait', t => {
  const engine = new RedisEngine()
  const session = engine.open()
  const database = engine.database(0)
  for (const key of ['a', 'b', 'c']) engine.run(session, ['SET', key, 'x'.repeat(2 * MB)])
  engine.run(session, ['XADD', 'topic', '1-0', 'data', 'x'])
  const file = openKeyFile(join(t.testdir(), 'redis.db'))
  const writer = new KeyWriter(file, {ids: [], serials: new Map(), lastId: 0})
  const all = (...keys: readonly string[]): ReadonlyMap<Database, ReadonlySet<string>> =>
    new Map([[database, new Set(keys)]])
  const rows = (): unknown => file.prepare('SELECT count(*) AS count FROM keys').get()?.['count']

  const left = writer.write(all('a', 'b', 'c', 'topic', 'gone'), 3 * MB)
  t.same([...(left.get(database) ?? [])], ['c'])
  t.equal(rows(), 3)
  t.equal(writer.write(left, 3 * MB).size, 0)
  t.equal(rows(), 4)
  t.equal(writer.write(all('a', 'b', 'c'), Infinity).size, 0, 'at the end, all at once')
  writer.close()
  engine.close()
  t.end()
})
