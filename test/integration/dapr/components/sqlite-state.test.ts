import {existsSync, readdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import t from 'tap'
import {open as openInMemory} from '../../../../src/dapr/components/state/in-memory.ts'
import {open} from '../../../../src/dapr/components/state/sqlite.ts'
import {openComponent} from '../../../rig/open-component.ts'

// oxlint-disable-next-line typescript/unbound-method
const {exec} = DatabaseSync.prototype
const options = {concurrency: '', consistency: ''} as const
const request = (key: string, value: Buffer) => ({key, value, isJson: false, etag: '', metadata: {}, options})

t.test('a full disk is told as such, and what was saved before is still there', async t => {
  const opened: DatabaseSync[] = []
  t.intercept(DatabaseSync.prototype, 'exec', {
    value: function (this: DatabaseSync, sql: string) {
      opened.push(this)
      exec.call(this, sql)
    }
  })
  const store = await openComponent(t, open, {connectionString: join(t.testdir(), 'state.db')})
  await store.set(request('a', Buffer.from('before')))
  opened[0]?.exec('PRAGMA max_page_count = 8') // as many as there are: the disk is full
  await t.rejects(store.set(request('b', Buffer.alloc(1024 * 1024))), {message: /^database or disk is full$/})
  await t.rejects(
    store.transact([
      {kind: 'upsert', request: request('a', Buffer.from('after'))},
      {kind: 'upsert', request: request('b', Buffer.alloc(1024 * 1024))}
    ]),
    {message: /^database or disk is full$/}
  )
  t.equal((await store.get('a', {consistency: '', metadata: {}}))?.data.toString(), 'before')
  await store.set(request('c', Buffer.from('small')))
  t.equal(
    (await store.get('c', {consistency: '', metadata: {}}))?.data.toString(),
    'small',
    'it goes on when there is room'
  )
})

t.test('while another process writes, a save waits, and everything else is served', async t => {
  const path = join(t.testdir(), 'state.db')
  const store = await openComponent(t, open, {connectionString: path, busyTimeout: '10s'})
  const hasty = await openComponent(t, open, {connectionString: path, busyTimeout: '20ms'})
  await store.set(request('a', Buffer.from('before')))
  const other = new DatabaseSync(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  let isSaved = false
  const saved = store.set(request('a', Buffer.from('after'))).then(() => (isSaved = true))
  await t.rejects(hasty.set(request('b', Buffer.from('1'))), {message: /database is locked/})
  t.equal((await store.get('a', {consistency: '', metadata: {}}))?.data.toString(), 'before')
  t.notOk(isSaved)
  const opened = openComponent(t, open, {connectionString: path})
  other.exec('COMMIT')
  await saved
  t.equal((await (await opened).get('a', {consistency: '', metadata: {}}))?.data.toString(), 'after')
})

t.test('a delete in a transaction deletes what is there, whatever is said of what is saved', async t => {
  const sqlite = await openComponent(t, open, {connectionString: ':memory:'})
  for (const store of [sqlite, await openComponent(t, openInMemory, {})]) {
    await store.set(request('a', Buffer.from('1')))
    const firstWrite = {concurrency: 'first-write', consistency: ''} as const
    const metadata = {ttlInSeconds: 'soon'}
    const deleted = {...request('a', Buffer.from('')), options: firstWrite, metadata}
    await store.transact([{kind: 'delete', request: deleted}])
    t.equal(await store.get('a', {consistency: '', metadata: {}}), undefined)
  }
})

t.test('bytes are kept as they are, whether they are text or not', async t => {
  const store = await openComponent(t, open, {connectionString: join(t.testdir(), 'state.db')})
  const values = ['', 'a\0b', '\0', '\ufeffa', 'Ä😀'].map(text => Buffer.from(text))
  for (const [at, value] of [...values, Buffer.from([8, 0, 18, 255])].entries()) {
    await store.set(request(`key${at}`, value))
    t.same(
      (await store.get(`key${at}`, {consistency: '', metadata: {}}))?.data,
      value,
      JSON.stringify(value.toString())
    )
  }
})

t.test('disableWAL: nothing is kept beside the file, as a network needs it', async t => {
  const path = join(t.testdir(), 'state.db')
  const store = await openComponent(t, open, {connectionString: path, disableWAL: 'true'})
  await store.set(request('a', Buffer.from('1')))
  t.notOk(existsSync(`${path}-wal`))
  const other = await openComponent(t, open, {connectionString: path})
  await other.set(request('b', Buffer.from('2')))
  t.ok(existsSync(`${path}-wal`), 'it has one without')
})

const openFiles = (): number => readdirSync('/proc/self/fd').length

t.test('a file that cannot be opened is not held open', async t => {
  const path = join(t.testdir(), 'state.db')
  writeFileSync(path, 'no database'.repeat(100))
  const opening = async (): Promise<unknown> => openComponent(t, open, {connectionString: path})
  await t.rejects(opening(), {message: /file is not a database/})
  const before = openFiles()
  for (let tries = 0; tries < 20; tries++) await t.rejects(opening())
  t.ok(openFiles() < before + 20, 'some of its own may come and go')
})

t.test('mode=ro: what is in the file is read, and nothing is written', async t => {
  const path = join(t.testdir(), 'state.db')
  const store = await openComponent(t, open, {connectionString: path})
  await store.set(request('a', Buffer.from('1')))
  for (const option of ['mode=ro', 'cache=private&immutable=1']) {
    const reader = await openComponent(t, open, {connectionString: `file:${path}?${option}`})
    t.equal((await reader.get('a', {consistency: '', metadata: {}}))?.data.toString(), '1')
    await t.rejects(reader.set(request('a', Buffer.from('2'))), {message: /readonly database/})
  }
  t.equal((await store.get('a', {consistency: '', metadata: {}}))?.data.toString(), '1')
})
