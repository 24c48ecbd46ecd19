import {appendFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {artifactsWritten} from '../../../../src/files/watcher/artifacts.ts'

t.test('an artifact that is still written is waited for, a source file is not', async t => {
  const folder = t.testdir({})
  const [jar, source] = [join(folder, 'stock.jar'), join(folder, 'Stock.java')]
  const {signal} = new AbortController()
  writeFileSync(source, 'class Stock {}')
  await artifactsWritten([source], signal)
  t.ok(Date.now() - statSync(source).mtimeMs < 700, 'at once')

  writeFileSync(jar, 'PK')
  let isWritten = false
  const written = artifactsWritten([jar, source], signal).then(() => isWritten)
  for (let piece = 0; piece < 4; piece++) {
    await pause(300)
    appendFileSync(jar, 'piece')
  }
  await pause(1000) // as a builder that does not get the processor
  isWritten = true
  appendFileSync(jar, `PK\x05\x06${'\0'.repeat(18)}`)
  t.equal(await written, true, 'after the last write')
  await artifactsWritten([join(folder, 'gone.jar')], signal)
})

t.test('an aborted signal ends the wait', async t => {
  const jar = join(t.testdir({'stock.jar': 'PK'}), 'stock.jar')
  const over = new AbortController()
  const written = artifactsWritten([jar], over.signal)
  over.abort()
  await t.resolves(written)
})
