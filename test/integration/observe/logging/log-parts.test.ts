import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Plan} from '../../../../src/model/plan.ts'
import {keptLog, removeOldLogs} from '../../../../src/observe/logging/old-logs.ts'
import {createLogFile, type LogFile} from '../../../../src/observe/logging/log-file.ts'
import type {Writer} from '../../../../src/observe/logging/open-line.ts'

const SIZE = 8192
const writer: Writer = {prefix: ''}

interface Open {
  readonly file: LogFile
  readonly folder: string
  /** Writes so many numbered lines, and waits until they are on the disk. */
  readonly add: (count: number) => Promise<void>
  /** All that was written so far. */
  readonly all: () => string
}

async function openFile(t: Test): Promise<Open> {
  const folder = t.testdir()
  const startedAt = new Date(2026, 0, 31, 23, 59, 58)
  const warn = (text: string): void => void t.fail(text)
  const file = await createLogFile({folder, id: 'shop', kind: 'app', startedAt, size: SIZE, warn})
  if (file === undefined) throw new Error('no file')
  let all = ''
  let next = 0
  const add = async (count: number): Promise<void> => {
    let text = ''
    for (let n = 0; n < count; n++) text += `line ${next++}\n`
    all += text
    file.write({writer, text})
    while (file.isWriting) await new Promise(setImmediate)
  }
  return {file, folder, add, all: () => all}
}

const textOf = async (texts: AsyncIterable<string>): Promise<string> => {
  let text = ''
  for await (const each of texts) text += each
  return text
}

t.test('at half of its size a file becomes the former one; both together have the end of all lines', async t => {
  const {file, folder, add, all} = await openFile(t)
  for (let n = 0; n < 40; n++) await add(100)
  await file.close()
  const former = readFileSync(`${file.path}.1`, 'latin1')
  const current = readFileSync(file.path, 'latin1')
  t.same(readdirSync(folder).length, 2)
  t.ok(former.length + current.length <= SIZE + 2000, `${former.length} and ${current.length} bytes`)
  t.ok(former.length >= SIZE / 2)
  t.ok(all().endsWith(former + current), 'no line is lost or cut between them')
  t.match(former, /^line \d+\n/)
  for (const path of [file.path, `${file.path}.1`]) t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('no more than half of its size is in one file, if all comes at once, but for the rest of a line', async t => {
  const {file, add, all} = await openFile(t)
  await add(3000)
  await file.close()
  const former = readFileSync(`${file.path}.1`, 'latin1')
  const current = readFileSync(file.path, 'latin1')
  const most = SIZE / 2 + 'line 2999\n'.length
  t.ok(former.length < most && current.length < most, `${former.length} and ${current.length} bytes`)
  t.ok(all().endsWith(former + current), 'no line is lost or cut between them')
})

t.test('a reader that is behind keeps what it has asked for, though the file is rotated twice meanwhile', async t => {
  const {file, add, all} = await openFile(t)
  await add(500)
  await add(100)
  const {length} = file
  const before = all()
  const reader = file.read(0, length)
  const first = await reader.next()
  await add(900)
  await add(900)
  await add(10)
  t.notOk(readFileSync(`${file.path}.1`, 'latin1').startsWith('line 0\n'), 'it was rotated')
  const rest = await textOf(reader)
  t.equal(String(first.value) + rest, before)
})

t.test('offsets are those of the whole log; who asks for what is gone is told so', async t => {
  const {file, add, all} = await openFile(t)
  await add(300)
  const early = file.length
  for (let n = 0; n < 20; n++) await add(100)
  const {length} = file
  const kept = await textOf(file.read(0, length))
  t.ok(all().endsWith(kept))
  const start = length - kept.length
  t.ok(start > early)
  for (const [from, to] of [
    [start, length],
    [start + 1000, length],
    [length - 5, length],
    [start + 10, start + 20]
  ] as const)
    t.equal(await textOf(file.read(from, to)), all().slice(from, to))
  const lines = kept.split('\n').length - 1
  for (const count of [0, 1, 5, lines - 1, lines])
    t.equal(
      all()
        .slice(await file.startOfLast(count, length))
        .split('\n').length - 1,
      count
    )
  t.equal(await file.startOfLast(lines + 100, length), start)
  t.equal(
    await textOf(file.read(early, length)),
    `${Buffer.from('… older lines are no longer kept\n').toString('latin1')}${kept}`
  )
  await file.close()
})

t.test('of a run killed while it rotated nothing is lost, and its name is not taken by the next one', async t => {
  const {file, folder, add, all} = await openFile(t)
  for (let n = 0; n < 20; n++) await add(100)
  await file.close()
  const logs = {app: 'file', sidecar: 'file', folder, keep: 1, size: SIZE}
  const plan = {apps: [{id: 'shop', instance: 0, logs}]} as unknown as Plan
  const left = async (tail = -1): Promise<string> =>
    textOf((await keptLog(plan, {id: 'shop', tail, since: 0}))?.texts ?? ([].values() as never))
  const both = await left()
  t.ok(both.length > SIZE / 2 && all().endsWith(both))
  t.equal(await left(3), all().split('\n').slice(-4).join('\n'))
  renameSync(file.path, `${file.path}.1`)
  const last = await left()
  t.ok(last.length > 0 && all().endsWith(last), 'the former file alone is the log')
  const startedAt = new Date(2026, 0, 31, 23, 59, 58)
  const next = await createLogFile({folder, id: 'shop', kind: 'app', startedAt, size: SIZE, warn: text => t.fail(text)})
  await next?.close()
  t.match(next?.path, /235959\.log$/)
  await removeOldLogs([{folder, name: 'shop', keep: 1}], async () => new Set<string>())
  t.same(readdirSync(folder), ['shop_app_20260131235959.log'], 'both files of an old log are removed')
})

t.test('a file that was removed, with its folder, begins again: later text is kept, what was there is not', async t => {
  const folder = join(t.testdir(), 'shop', '.dapr', 'logs')
  const warn = (text: string): void => void t.fail(text)
  const file = await createLogFile({folder, id: 'shop', kind: 'app', startedAt: new Date(), size: 0, warn})
  if (file === undefined) throw new Error('no file')
  const write = async (text: string): Promise<void> => {
    file.write({writer, text})
    while (file.isWriting) await pause(1)
  }
  await write('before\n')
  rmSync(dirname(folder), {recursive: true})
  for (let n = 0; !existsSync(file.path); n++) await pause(20).then(async () => write(`gone ${n}\n`))
  await write('after\n')
  t.match(readFileSync(file.path, 'latin1'), /^gone \d+\nafter\n$/)
  t.equal(await textOf(file.read(0, file.length)), readFileSync(file.path, 'latin1'))
  t.match(await textOf(file.read(1, file.length)), /older lines are no longer kept\ngone \d+\nafter\n$/)
  rmSync(join(folder, '../..'), {recursive: true})
  for (let n = 0; n < 60; n++) await pause(20).then(async () => write(`gone ${n}\n`))
  t.notOk(existsSync(join(folder, '../..')), 'the folder of the app does not come back')
  await file.close()
})

/** What the user does to a log file, and what is before the text that comes next. */
const CHANGES: Readonly<Record<string, {readonly change: (path: string) => void; readonly left: string}>> = {
  emptied: {change: path => truncateSync(path, 0), left: ''},
  'replaced, as an editor saves,': {
    change: path => {
      writeFileSync(`${path}.new`, 'edited\nby hand\n')
      renameSync(`${path}.new`, path)
    },
    left: 'edited\nby hand\n'
  },
  'added to': {change: path => appendFileSync(path, 'a note\n'), left: 'before\na note\n'}
}

for (const [how, {change, left}] of Object.entries(CHANGES))
  t.test(`a file that was ${how} is continued: what is written later is in it, at its end, and is read`, async t => {
    const {file, folder} = await openFile(t)
    const write = async (text: string): Promise<void> => {
      file.write({writer, text})
      while (file.isWriting) await pause(1)
    }
    await write('before\n')
    change(file.path)
    const from = file.length
    // until the file has been looked at
    for (let n = 0; n < 60; n++) await pause(20).then(async () => write(`meanwhile ${n}\n`))
    await write('after\n')
    const there = readFileSync(file.path, 'latin1')
    t.ok(there.startsWith(left), there.slice(0, 100))
    t.match(there, /^meanwhile \d+\n(?:meanwhile \d+\n)*after\n$/m)
    t.notMatch(there, '\0')
    t.ok(there.endsWith((await textOf(file.read(from, file.length))).replace(/^…[^\n]*\n/, '').slice(-100)))
    t.equal(await textOf(file.read(await file.startOfLast(2, file.length), file.length)), 'meanwhile 59\nafter\n')
    for (let n = 0; n < 400; n++) file.write({writer, text: `more ${n}\n`})
    while (file.isWriting) await pause(1)
    for (let n = 0; n < 400; n++) file.write({writer, text: `most ${n}\n`})
    await file.close()
    t.same(readdirSync(folder).length, 2, 'it is rotated as before')
  })

t.test('a line that was cut by the user is not continued by the next one', async t => {
  const {file} = await openFile(t)
  const write = async (text: string): Promise<void> => {
    file.write({writer, text})
    while (file.isWriting) await pause(1)
  }
  await write('before\nsecond\n')
  await pause(1100) // then the file is looked at before something is written
  truncateSync(file.path, 'before\nsec'.length)
  await write('third\n')
  const from = file.length
  await write('fourth\n')
  t.equal(readFileSync(file.path, 'latin1'), 'before\nsec\nthird\nfourth\n')
  t.equal(await textOf(file.read(from, file.length)), 'fourth\n')
  t.equal(await textOf(file.read(await file.startOfLast(2, file.length), file.length)), 'third\nfourth\n')
  await file.close()
})

t.test('a log of which one file cannot be opened leaves the other one closed', async t => {
  const {file, add} = await openFile(t)
  for (let n = 0; n < 10; n++) await add(100)
  await file.close()
  rmSync(file.path)
  symlinkSync(file.path, file.path)
  const plan = {apps: [{id: 'shop', logs: {folder: dirname(file.path)}}]} as unknown as Plan
  const opened = (): readonly string[] =>
    readdirSync('/proc/self/fd').filter(each => {
      try {
        return readlinkSync(`/proc/self/fd/${each}`).startsWith(file.path)
      } catch {
        return false // it was that of the folder
      }
    })
  await t.rejects(textOf(file.read(0, file.length)), {code: 'ELOOP'})
  await t.rejects(keptLog(plan, {id: 'shop', tail: -1, since: 0}), {code: 'ELOOP'})
  t.strictSame(opened(), [], 'what is left to the garbage collection ends the process')
})

t.test('a log that cannot be looked at any more goes on', async t => {
  const {file, folder} = await openFile(t)
  renameSync(folder, `${folder}-away`)
  symlinkSync(folder, folder)
  for (let n = 0; n < 60; n++) {
    await pause(20)
    file.write({writer, text: `${n}\n`})
  }
  await file.close()
  rmSync(folder)
  renameSync(`${folder}-away`, folder)
  t.match(readFileSync(file.path, 'latin1'), /^0\n[^]*\n59\n$/)
})
