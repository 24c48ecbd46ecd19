import {execFileSync} from 'node:child_process'
import {readFileSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {writeFile} from '../write-files.ts'

const HEADER = '# ours\n'

t.test('a pipe, or a link to a device, in place of a file of an export is foreign, and not read', async t => {
  const folder = t.testdir()
  execFileSync('mkfifo', [join(folder, 'pipe')])
  symlinkSync('/dev/zero', join(folder, 'device'))
  for (const name of ['pipe', 'device'])
    t.throws(() => writeFile(join(folder, name), `${HEADER}x\n`, HEADER), {message: /was not written by an export/})
  writeFile(join(folder, 'file'), `${HEADER}x\n`, HEADER)
  writeFile(join(folder, 'file'), `${HEADER}y\n`, HEADER)
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), `${HEADER}y\n`)
})
