import t from 'tap'
import {FolderProgress} from '../../../../../src/clients/cli/commands/import.ts'
import {displayOf} from '../../../../rig/display.ts'

t.test('a long search shows on a terminal how many folders it has read, and nothing afterwards', async t => {
  let [now, text] = [0, '']
  const stream = {isTTY: true, write: (chunk: unknown) => ((text += String(chunk)), true)}
  const progress = new FolderProgress(stream, () => now)
  progress.show(1)
  t.equal(text, '', 'not at once')
  now = 600
  progress.show(1200)
  progress.show(1201)
  t.strictSame(displayOf(text).lines, ['reading folders: 1,200 …'])
  now = 800
  progress.show(3400)
  t.strictSame(displayOf(text).lines, ['reading folders: 3,400 …'])
  progress.clear()
  t.equal(displayOf(text).lines.join(''), '')
})

t.test('what is no terminal gets no progress, and a short search shows none', async t => {
  let [now, text] = [0, '']
  const write = (chunk: unknown): boolean => ((text += String(chunk)), true)
  const piped = new FolderProgress({isTTY: false, write}, () => now)
  const short = new FolderProgress({isTTY: true, write}, () => now)
  short.show(5)
  short.clear()
  now = 900
  piped.show(5)
  piped.clear()
  t.equal(text, '')
})
