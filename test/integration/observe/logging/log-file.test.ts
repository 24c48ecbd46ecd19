import {execFileSync} from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import {basename, join} from 'node:path'
import t from 'tap'
import {codeOf} from '../../../../src/model/errors.ts'
import {createLogFile, LogFile} from '../../../../src/observe/logging/log-file.ts'
import type {Writer} from '../../../../src/observe/logging/open-line.ts'

const writer: Writer = {prefix: ''}
const startedAt = new Date(2026, 0, 31, 23, 59, 58)
const place = (folder: string, warn: (text: string) => void = text => t.fail(text)) =>
  ({folder, id: 'shop', kind: 'app', startedAt, size: 0, warn}) as const
const read = (path: string): string => readFileSync(path, 'latin1')

t.test('a file is made with its folders, and has what was written, in order, when it is closed', async t => {
  const folder = join(t.testdir(), 'shop', '.dapr', 'logs')
  const file = await createLogFile(place(folder))
  t.equal(file?.path, join(folder, 'shop_app_20260131235958.log'))
  let expected = ''
  for (let i = 0; i < 3000; i++) {
    const text = `line ${i} \xff\n`
    expected += text
    file?.write({writer, text})
    if (i % 500 === 0) await new Promise(resolve => setTimeout(resolve, 6)) // several writes to the disk
  }
  await file?.close()
  t.equal(read(file?.path ?? ''), expected)
  t.equal(file?.write({writer, text: 'after the end\n'}), undefined)
  t.notOk(file?.isOpen)
  await file?.close()
  t.equal(read(file?.path ?? ''), expected, 'what comes after the end is dropped')
})

t.test("a log file is its user's alone", async t => {
  const file = await createLogFile(place(t.testdir()))
  await file?.close()
  t.equal(statSync(file?.path ?? '').mode & 0o777, 0o600)
})

t.test('a file that nothing was written to exists and is empty', async t => {
  const file = await createLogFile(place(t.testdir()))
  await file?.close()
  t.equal(read(file?.path ?? ''), '')
})

t.test('text is in the file soon, without a close', async t => {
  const file = await createLogFile(place(t.testdir()))
  file?.write({writer, text: 'x\n'})
  while (read(file?.path ?? '') === '') await new Promise(setImmediate)
  t.equal(read(file?.path ?? ''), 'x\n')
  await file?.close()
})

t.test('apps with one id that start in one second have a file each, named after the next free second', async t => {
  const folder = t.testdir()
  const files = await Promise.all([1, 2, 3].map(async () => createLogFile(place(folder))))
  for (const [i, file] of files.entries()) void file?.write({writer, text: `${i}\n`})
  await Promise.all(files.map(async file => file?.close()))
  t.same(readdirSync(folder).toSorted(), [
    'shop_app_20260131235958.log',
    'shop_app_20260131235959.log',
    'shop_app_20260201000000.log'
  ])
  t.same(new Set(files.map(file => read(file?.path ?? ''))), new Set(['0\n', '1\n', '2\n']))
})

t.test('what bears the name already is left as it is', async t => {
  const folder = t.testdir({elsewhere: 'precious\n'})
  writeFileSync(join(folder, 'shop_app_20260131235958.log'), 'old\n')
  symlinkSync('elsewhere', join(folder, 'shop_app_20260131235959.log'))
  const file = await createLogFile(place(folder))
  file?.write({writer, text: 'new\n'})
  await file?.close()
  t.equal(basename(file?.path ?? ''), 'shop_app_20260201000000.log')
  t.equal(read(join(folder, 'shop_app_20260131235958.log')), 'old\n')
  t.equal(read(join(folder, 'elsewhere')), 'precious\n')
})

t.test('a folder that cannot be made or written to brings one warning with its path and the reason', async t => {
  const folder = t.testdir({file: '', closed: {}})
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  t.equal(await createLogFile(place(join(folder, 'file', 'logs'), warn)), undefined)
  t.same(warnings, [`cannot write log files in ${folder}/file/logs: not a directory`])
})

t.test('where we may not write, the log is in a folder of its own, and one warning names it', async t => {
  const folder = join(t.testdir({closed: {}}), 'closed')
  chmodSync(folder, 0o555)
  const warnings: string[] = []
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534) // root may write anywhere
  try {
    const file = await createLogFile(place(folder, text => void warnings.push(text)))
    t.match(file?.path, /pillion-\w+\/shop_app_\d+\.log$/)
    await file?.close()
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(folder, 0o755)
  }
  t.match(warnings, [/^cannot write log files in .*closed: permission denied\. They are in \S+pillion-\w+$/])
  t.equal(warnings.length, 1)
})

t.test('a full disk brings one warning with path and reason, and makes nobody wait', async t => {
  const warnings: string[] = []
  const warned = Promise.withResolvers<void>()
  const file = new LogFile(openSync('/dev/full', 'w'), '/dev/full', text => {
    warnings.push(text)
    warned.resolve()
  })
  const waits = file.write({writer, text: 'x'.repeat(2 * 1024 * 1024)})
  file.write({writer, text: 'y\n'})
  await waits
  await warned.promise
  t.notOk(file.isOpen)
  t.equal(file.write({writer, text: 'z\n'.repeat(1024 * 1024)}), undefined, 'nobody waits for it any more')
  await file.close()
  t.same(warnings, [
    'cannot write log file /dev/full: no space left on device; lines are left out until it can be written again'
  ])
})

t.test('who reads what could not be written is not kept waiting', async t => {
  const warned = Promise.withResolvers<string>()
  const file = new LogFile(openSync('/dev/full', 'w'), '/dev/full', warned.resolve)
  file.write({writer, text: 'x\n'})
  const {length} = file
  await warned.promise
  t.equal(await file.startOfLast(1, length), 0)
  await file.close()
})

t.test('a file that could be written no more goes on when it can, with a line that says what is missing', async t => {
  const path = join(t.testdir(), 'full')
  execFileSync('mkfifo', [path])
  // a pipe that is full refuses to be written, until it is read
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const warned = Promise.withResolvers<string>()
  const file = new LogFile(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), path, warned.resolve)
  const line = `${'x'.repeat(99)}\n`
  file.write({writer, text: line.repeat(1000)})
  t.equal(
    await warned.promise,
    `cannot write log file ${path}: resource temporarily unavailable; lines are left out until it can be written again`
  )
  t.notOk(file.isOpen)
  const tapped: string[] = []
  file.tap(text => tapped.push(text))
  file.write({writer, text: 'while full\n'})
  t.same(tapped, ['while full\n'], 'who follows the log misses nothing')
  const buffer = Buffer.alloc(256 * 1024)
  let got = buffer.toString('latin1', 0, readSync(reader, buffer))
  while (!file.isOpen) await new Promise(setImmediate)
  file.write({writer, text: 'after\n'})
  // as soon as ever: nothing more has to come, and nobody has to close it
  while (file.isWriting) await new Promise(setImmediate)
  await file.close()
  got += buffer.toString('latin1', 0, readSync(reader, buffer))
  closeSync(reader)
  const [whole, note, last, end] = got.slice(got.indexOf('...') - 1).split('\n')
  t.equal(whole, '')
  const written = Math.floor(got.indexOf('...') / line.length)
  const missing = 1000 - written + 1
  t.match(
    note,
    new RegExp(
      `^\\.\\.\\. ${missing} lines are missing here, from [\\d:]{8} to [\\d:]{8}: resource temporarily unavailable$`
    )
  )
  t.same([last, end], ['after', ''])
  t.equal(file.length, got.length, 'offsets are those of the file')
})

t.test('a failure in the last write is told too, and close settles', async t => {
  const warnings: string[] = []
  const file = new LogFile(openSync('/dev/full', 'w'), '/dev/full', text => void warnings.push(text))
  file.write({writer, text: 'x\n'})
  await file.close()
  t.equal(warnings.length, 1)
})

t.test('a slow disk makes the writer wait when more than 1 MiB is behind, and gets everything', async t => {
  const path = join(t.testdir(), 'slow')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const file = new LogFile(openSync(path, 'w'), path, text => void t.fail(text))
  const line = `${'x'.repeat(99)}\n`
  let written = 0
  let waits: Promise<void> | undefined
  while (waits === undefined) {
    waits = file.write({writer, text: line.repeat(100)})
    written += 10_000
    await new Promise(setImmediate) // the first write is under way and stays so
  }
  t.ok(written > 1024 * 1024 && written < 2.2 * 1024 * 1024, `asked to wait after ${written}`)
  const over = file.close().then(() => 'over')
  let got = 0
  const buffer = Buffer.alloc(64 * 1024)
  /** What is in the pipe now. */
  const drain = (): void => {
    try {
      for (let n; (n = readSync(reader, buffer)) > 0;) got += n
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
    }
  }
  while ((await Promise.race([over, new Promise(setImmediate)])) !== 'over') drain()
  await waits
  drain()
  closeSync(reader)
  t.equal(got, written)
})
