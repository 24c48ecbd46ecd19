import {execFileSync} from 'node:child_process'
import t from 'tap'
import {shellPrintf, shellWord} from '../../../../../src/observe/api/export/shell-words.ts'

const run = (command: string): string => execFileSync('sh', ['-c', command]).toString('latin1')

t.test('bytes that begin like an option are bytes: the parts of a form begin so', async t => {
  const form = '--boundary\r\n\r\n\0\xff%'
  t.equal(run(shellPrintf([Buffer.from(form, 'latin1')])), form)
  t.equal(run(`printf %s ${shellWord([Buffer.from('-n\xff', 'latin1')])}`), '-n\xff')
})
