import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import t from 'tap'
import {isLockedHere, whyWithoutLocks} from '../../../src/platform/database-file.ts'

t.test('whether a process of this machine holds a file', {skip: process.platform !== 'linux'}, async t => {
  const path = join(t.testdir(), 'work.db')
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = wal; CREATE TABLE t (a)')
  t.equal(isLockedHere(path), true, 'as long as it is open')
  database.close()
  t.equal(isLockedHere(path), false)
  t.equal(isLockedHere(`${path}.none`), false)
})

t.test('a file that nobody here holds is on a file system without locks, or held elsewhere', async t => {
  t.match(
    whyWithoutLocks('/nfs/work.db', false),
    /^\/nfs\/work\.db cannot be locked, and no process of this machine holds it/
  )
  t.equal(whyWithoutLocks('/work.db', true), '')
})
