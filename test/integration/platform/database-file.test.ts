import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import t from 'tap'
import {skipWithoutSmallDisk, smallDisk} from '../../rig/small-disk.ts'

/** A file of which 42 MB are free and 20 MB are not, on a disk that has no room for 20 MB more. */
const SCRIPT = `
  const {openOwn, shrink} = await import(process.argv[1])
  const {statSync, writeFileSync} = await import('node:fs')
  const path = process.argv[2] + '/some.db'
  const database = openOwn(path, 1, ['CREATE TABLE some (name TEXT, data BLOB)'])
  for (let n = 0; n < 62; n++) {
    database.exec("INSERT INTO some VALUES ('" + (n < 42 ? 'gone' : 'stays') + "', zeroblob(1000000))")
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }
  database.exec("DELETE FROM some WHERE name = 'gone'; PRAGMA wal_checkpoint(TRUNCATE)")
  console.log(JSON.stringify(shrink(database)), statSync(path + '-wal').size)
  writeFileSync(process.argv[2] + '/other', Buffer.alloc(5_000_000))
  console.log(database.prepare('SELECT count(*) AS rows FROM some').get().rows)
`

t.test('a file that finds no room to get smaller takes none from others', {skip: skipWithoutSmallDisk}, async t => {
  const [first = '', ...words] = smallDisk('72m')
  const module = import.meta.resolve('../../../src/platform/database-file.ts')
  const node = [process.execPath, '--input-type=module', '-e', SCRIPT, module]
  const disk = t.testdir()
  const {stdout} = await promisify(execFile)(first, [...words, disk, ...node, disk])
  t.equal(stdout, '"" 0\n20\n')
})
