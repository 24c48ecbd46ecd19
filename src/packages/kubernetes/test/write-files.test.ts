import {execFileSync, spawnSync} from 'node:child_process'
import {readdirSync, readFileSync, statSync, symlinkSync} from 'node:fs'
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

const MODULE = new URL('../write-files.ts', import.meta.url).href

t.test('an export that could not be written does not refuse the next one', async t => {
  const folder = t.testdir()
  const files = "[{name: '01-shop-env.yaml', text: 'x', isSecret: true}]"
  const script = `import {writeFiles} from '${MODULE}'; writeFiles(process.argv[1], ${files})`
  const node = [process.execPath, '--input-type=module', '-e', script, folder]
  const run = (limit: string): number | null =>
    spawnSync('sh', ['-c', `trap '' XFSZ; ${limit} exec "$@"`, 'sh', ...node], {env: {PATH: process.env['PATH']}})
      .status
  t.equal(run('ulimit -f 0;'), 1, 'no file may have a byte, as on a full disk')
  t.strictSame(readdirSync(folder), [])
  t.equal(run(''), 0)
  t.equal(statSync(join(folder, '01-shop-env.yaml')).mode & 0o777, 0o600)
})
