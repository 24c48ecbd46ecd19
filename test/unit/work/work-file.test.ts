import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {shrink} from '../../../src/platform/database-file.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {WorkflowStore} from '../../../src/work/workflow/workflow-store.ts'
import {withFewDescriptors} from '../../rig/few-descriptors.ts'
import {connected, openHouse, order} from '../../rig/workflow-house.ts'

const PAGE = 4096

const pathFor = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'work-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  return join(folder, 'work.db')
}

/** A start that needs more pages. */
const large = (id: string): ReturnType<typeof order> => ({...order(id), input: 'x'.repeat(10 * PAGE)})

/** How many instances wait for their turn. */
const pending = (file: WorkFile): number => {
  const {length} = new WorkflowStore(file.database).waitingEntries('shop', 0, 100)
  file.close()
  return length
}

t.test('on a full disk what cannot be kept is refused with the file’s name, and later it goes on', async t => {
  const path = pathFor(t)
  const {workflows, file, clock, close} = await openHouse(t, path)
  await workflows.start('shop', order())
  file.database.exec(
    `PRAGMA max_page_count = ${String(file.database.prepare('PRAGMA page_count').get()?.['page_count'])}`
  )
  await t.rejects(workflows.start('shop', large('o-2')), {
    message: `${path} cannot be written: the disk is full. Nothing of this was kept; make room, and try again`
  })
  t.equal(workflows.find('shop', 'o-2'), undefined)
  file.database.exec('PRAGMA max_page_count = 1000000')
  clock.pass(1000)
  await workflows.start('shop', large('o-2'))
  const worker = connected(workflows)
  t.strictSame(worker.seen(), ['o-1: | workflowStarted executionStarted', 'o-2: | workflowStarted executionStarted'])
  close()
})

const rowsOf = ({database}: WorkFile): unknown =>
  database
    .prepare('SELECT name FROM wake_ups ORDER BY id')
    .all()
    .map(({name}) => name)

const write = ({database}: WorkFile, name: string): void =>
  database.exec(`INSERT INTO wake_ups (kind, name) VALUES ('test', '${name}')`)

t.test('a change that throws undoes itself and nothing else; who has written nothing is no news to others', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  t.teardown(() => file.close())
  let undone = 0
  file.onUndone(() => void undone++)
  const refusal = new Error('it is there already')
  const refuse = (): never => {
    throw refusal
  }
  for (const isFirst of [true, false]) {
    file.database.exec('DELETE FROM wake_ups')
    undone = 0
    const results = await Promise.allSettled([
      ...(isFirst ? [] : [file.change(() => write(file, 'a'))]),
      file.change(refuse),
      file.change(() => write(file, 'b')),
      file.change(refuse)
    ])
    t.strictSame(
      results.filter(({status}) => status === 'rejected'),
      [
        {status: 'rejected', reason: refusal},
        {status: 'rejected', reason: refusal}
      ]
    )
    t.strictSame(rowsOf(file), isFirst ? ['b'] : ['a', 'b'])
    t.equal(undone, 0)
    await Promise.allSettled([
      file.change(() => write(file, 'c')),
      file.change(() => {
        write(file, 'half')
        refuse()
      })
    ])
    t.strictSame(rowsOf(file), isFirst ? ['b', 'c'] : ['a', 'b', 'c'])
    t.equal(undone, 1, 'of what was written somebody may know')
  }
})

t.test('where SQLite gives up the transaction all of its tick is undone, and all hear why', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  t.teardown(() => file.close())
  let undone = 0
  file.onUndone(() => void undone++)
  const reason = new Error('the disk is broken')
  const results = await Promise.allSettled([
    file.change(() => write(file, 'a')),
    file.change(() => {
      file.database.exec('ROLLBACK')
      throw reason
    })
  ])
  for (const result of results) t.match(result, {status: 'rejected', reason})
  t.strictSame(rowsOf(file), [])
  t.equal(undone, 1)
  await file.change(() => write(file, 'b'))
  t.strictSame(rowsOf(file), ['b'])
})

t.test('a file that another program holds is left alone, and that is said', async t => {
  const path = pathFor(t)
  // another process: one that closes a file loses its own locks of it (fcntl(2))
  const hold = `const {DatabaseSync} = require('node:sqlite')
    const holder = new DatabaseSync(process.argv[1])
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE theirs (a)')
    console.log('held')
    setTimeout(() => holder.close(), 60000)`
  const holder = spawn(process.execPath, ['-e', hold, path], {stdio: ['ignore', 'pipe', 'ignore']})
  t.teardown(() => holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  const said: string[] = []
  const file = await WorkFile.open(path, text => said.push(text))
  t.match(said, [/^another run of this template, or another program, holds .*work\.db: .* is kept in memory alone$/])
  await file.change(() => write(file, 'a'))
  t.strictSame(rowsOf(file), ['a'])
  file.close()
})

t.test('a file whose damage is found only when its rows are read is kept aside as well', async t => {
  const path = pathFor(t)
  const {workflows, close} = await openHouse(t, path)
  for (let index = 0; index < 50; index++) await workflows.start('shop', order(`o-${index}`))
  close()
  const bytes = readFileSync(path)
  bytes.fill(0x5a, 2 * PAGE)
  writeFileSync(path, bytes)
  const said: string[] = []
  t.equal(await WorkFile.openFor(path, text => said.push(text), pending), 0, 'a new one is begun')
  t.match(said, [
    /work\.db cannot be read: it is damaged\. It is kept as .*work\.db\.\d{8}T\d{6}Z?; a new file is begun/
  ])
  t.equal(readdirSync(join(path, '..')).filter(name => name.startsWith('work.db.')).length, 1)
  await t.rejects(
    WorkFile.openFor(
      path,
      text => t.fail(text),
      () => {
        throw new Error('something else')
      }
    ),
    {message: 'something else'}
  )
})

t.test('where its file cannot be written a run keeps its work in memory, says why, and works', async t => {
  const path = pathFor(t)
  const folder = join(path, '..')
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'busy.db-journal'))
  mkdirSync(join(folder, 'taken.db'))
  const cases: readonly (readonly [name: string, why: RegExp])[] = [
    ['file/pillion/work.db', /ENOTDIR/],
    ['taken.db', /EISDIR/],
    ['busy.db', /unable to open database file/]
  ]
  for (const [name, why] of cases) {
    const said: string[] = []
    const file = await WorkFile.open(join(folder, name), text => said.push(text))
    t.match(said, [why], name)
    t.match(said, [
      / cannot be written: .*: what this run takes on \(workflows, jobs, reminders\) is kept in memory alone$/
    ])
    t.equal(file.database.location(), null)
    t.equal(pending(file), 0, 'it has its tables')
  }
})

/** Adds wake-ups of a megabyte each. */
const fill = (name: string, rows: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
   INSERT INTO wake_ups (name, data) SELECT '${name}', zeroblob(1000000) FROM n`

t.test('a large file gives back the room of what was removed', async t => {
  const path = pathFor(t)
  const sizeAfter = async (work: (file: WorkFile) => void): Promise<number> => {
    const file = await WorkFile.open(path, text => t.fail(text))
    work(file)
    file.close()
    return statSync(path).size
  }
  const full = await sizeAfter(({database}) => database.exec(fill('gone', 50) + ';' + fill('stays', 2)))
  t.ok(full > 50e6)
  t.equal(await sizeAfter(({database}) => database.exec("DELETE FROM wake_ups WHERE name = 'gone'")), full)
  const small = await sizeAfter(({database}) => t.match(shrink(database), /^is 5\d MB smaller: /))
  t.ok(small < 4e6, `${small} bytes`)
  t.equal(await sizeAfter(file => t.equal(file.database.prepare('SELECT * FROM wake_ups').all().length, 2)), small)
})

t.test('without a free descriptor the file is not left for the memory: who asks later has it', async t => {
  const path = pathFor(t)
  const file = await WorkFile.open(path, text => t.fail(text))
  await file.change(() => write(file, 'left'))
  file.close()
  const module = import.meta.resolve('../../../src/work/work-file.ts')
  await t.resolves(
    withFewDescriptors(`
      const {WorkFile} = await import('${module}')
      const open = async () => WorkFile.open('${path}', text => { throw new Error(text) })
      fill()
      await rejects(open(), {code: 'EMFILE'})
      for (let free = 1; free < 4; free++) {
        closeSync(files.pop())
        await rejects(open(), {code: 'EMFILE'})
      }
      free()
      const file = await open()
      equal(file.database.prepare("SELECT count(*) AS count FROM wake_ups WHERE name = 'left'").get().count, 1)
      file.close()
    `)
  )
})

t.test('a file is forgotten as a whole or not at all', async t => {
  const {workflows, file, close} = await openHouse(t)
  await workflows.start('shop', order())
  file.database.exec("CREATE TRIGGER stop BEFORE DELETE ON inbox BEGIN SELECT RAISE(ABORT, 'killed'); END")
  t.throws(() => file.empty(), {message: /killed/})
  file.database.exec('ROLLBACK; DROP TRIGGER stop')
  t.match(new WorkflowStore(file.database).find('shop', 'o-1'), {name: 'order'})
  file.empty()
  t.equal(new WorkflowStore(file.database).find('shop', 'o-1'), undefined)
  close()
})
