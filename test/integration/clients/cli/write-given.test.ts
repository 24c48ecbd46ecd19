import {spawnSync} from 'node:child_process'
import {lstatSync, readdirSync, readFileSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {writeGiven} from '../../../../src/clients/cli/write-given.ts'

const MODULE = new URL('../../../../src/clients/cli/write-given.ts', import.meta.url).href

t.test('a file that is there stays whole if another one cannot be written over it', async t => {
  const folder = t.testdir({'dapr.yaml': 'mine\n'})
  const path = join(folder, 'dapr.yaml')
  const script = `import {writeGiven} from '${MODULE}'; writeGiven(process.argv[1], 'new')`
  const node = [process.execPath, '--input-type=module', '-e', script, path]
  // no file may have a byte, as on a full disk
  const {status, stderr} = spawnSync('sh', ['-c', `trap '' XFSZ; ulimit -f 0; exec "$@"`, 'sh', ...node], {
    encoding: 'utf8',
    env: {PATH: process.env['PATH']}
  })
  t.equal(status, 1)
  t.match(stderr, 'cannot write')
  t.equal(readFileSync(path, 'utf8'), 'mine\n')
  t.strictSame(readdirSync(folder), ['dapr.yaml'])
})

t.test('a file keeps its mode, and a link leads where it did', async t => {
  const folder = t.testdir({'real.yaml': 'a', below: {}})
  symlinkSync('real.yaml', join(folder, 'dapr.yaml'))
  const mode = lstatSync(join(folder, 'real.yaml')).mode
  writeGiven(join(folder, 'dapr.yaml'), 'b')
  writeGiven(join(folder, 'real.yaml'), `${readFileSync(join(folder, 'real.yaml'), 'utf8')}c`)
  writeGiven(join(folder, 'below/new/dapr.yaml'), 'd')
  t.equal(readFileSync(join(folder, 'dapr.yaml'), 'utf8'), 'bc')
  t.ok(lstatSync(join(folder, 'dapr.yaml')).isSymbolicLink())
  t.equal(lstatSync(join(folder, 'real.yaml')).mode, mode)
  t.equal(readFileSync(join(folder, 'below/new/dapr.yaml'), 'utf8'), 'd')
})
