import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {tmpdir} from 'node:os'
import t, {type Test} from 'tap'
import {createLogFile} from '../../../../src/observe/logging/log-file.ts'
import {openKeptLog} from '../../../../src/observe/logging/log-parts.ts'
import {readPart, startOfLastIn} from '../../../../src/observe/logging/log-reader.ts'
import {startOfLastLines} from '../../../../src/observe/logging/log-memory.ts'
import {Memory} from '../../../../src/observe/logging/log-memory.ts'
import {readLog} from '../../../../src/observe/logging/log-record.ts'

const folderOf = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'))
  t.teardown(() => rmSync(folder, {recursive: true, force: true}))
  return folder
}

t.test('the last lines of a file are found from its end, wherever its pieces are cut', async t => {
  const path = join(folderOf(t), 'log')
  const open = async () => openKeptLog(path)
  const texts = [
    '',
    'a',
    'a\n',
    'a\nb',
    'a\n\n',
    '\n',
    `${'x'.repeat(70_000)}\n`.repeat(3),
    'line\n'.repeat(40_000),
    'y'.repeat(65_536) + '\nz\n'
  ]
  for (const text of texts) {
    writeFileSync(path, text)
    for (const count of [0, 1, 2, 3, 15_000, 50_000])
      t.equal(
        await startOfLastIn(open, count, text.length),
        startOfLastLines(text, count),
        `${count} of ${text.length}`
      )
  }
  writeFileSync(path, 'one\ntwo\nthree\n')
  t.equal(await startOfLastIn(open, 1, 8), 4, 'of its beginning')
  let part = ''
  for await (const piece of readPart(open, 4, 99)) part += piece
  t.equal(part, 'two\nthree\n')
})

t.test('a log file that is being written is read to its end and followed, each line once', async t => {
  const place = {
    folder: folderOf(t),
    id: 'a',
    kind: 'app',
    startedAt: new Date(),
    size: 0,
    warn: () => undefined
  } as const
  const file = await createLogFile(place)
  if (file === undefined) throw new Error('no log file')
  const writer = {prefix: ''}
  const expected = Array.from({length: 30_000}, (_, i) => `line ${i}`)
  for (const line of expected.slice(0, 20_000)) void file.write({writer, text: `${line}\n`})
  const log = readLog(file, {tail: -1, since: 0, isFollowed: true, gone: new AbortController().signal})
  let whole = ''
  for await (const text of log) {
    if (whole === '') {
      for (const line of expected.slice(20_000)) void file.write({writer, text: `${line}\n`})
      void file.close()
    }
    whole += text
  }
  t.same(whole.split('\n').slice(0, -1), expected)
})

t.test('who does not follow a log gets what it has, however fast its app writes', async t => {
  const record = new Memory()
  const text = `${'x'.repeat(99)}\n`.repeat(1000)
  record.write({writer: {prefix: ''}, text})
  let whole = ''
  for await (const piece of readLog(record, {
    tail: 1000,
    since: 0,
    isFollowed: false,
    gone: new AbortController().signal
  })) {
    whole += piece
    if (whole.length > text.length) break
    record.write({writer: {prefix: ''}, text})
  }
  t.equal(whole, text)
})
