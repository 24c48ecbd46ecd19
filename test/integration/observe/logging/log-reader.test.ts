import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {tmpdir} from 'node:os'
import t, {type Test} from 'tap'
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

t.test('who reads a log gets what it has, however fast its app writes', async t => {
  const record = new Memory()
  const text = `${'x'.repeat(99)}\n`.repeat(1000)
  record.write({writer: {prefix: ''}, text})
  let whole = ''
  for await (const piece of readLog(record, {tail: 1000, since: 0})) {
    whole += piece
    if (whole.length > text.length) break
    record.write({writer: {prefix: ''}, text})
  }
  t.equal(whole, text)
})
