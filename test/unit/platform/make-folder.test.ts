import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {makeFolder} from '../../../src/platform/make-folder.ts'

t.test('a folder is made with its parents, or the reason is told', async t => {
  const root = mkdtempSync(join(tmpdir(), 'make-'))
  t.teardown(() => rmSync(root, {recursive: true}))
  makeFolder(join(root, 'a/b/c'), 0o700)
  makeFolder(join(root, 'a/b/c'))
  t.equal(statSync(join(root, 'a/b/c')).mode & 0o777, 0o700)
  writeFileSync(join(root, 'file'), '')
  t.throws(() => makeFolder(join(root, 'file')), {code: 'EEXIST'})
  t.throws(() => makeFolder(join(root, 'file/a/b')), {code: 'ENOTDIR'})
  t.throws(() => makeFolder('/proc/x/y'), {code: 'ENOENT'})
})

t.test("no folder is made by Node's recursive mkdir, which never returns below /proc", async t => {
  const source = join(import.meta.dirname, '../../../src')
  const files = readdirSync(source, {recursive: true, encoding: 'utf8'}).filter(
    file => file.endsWith('.ts') && !file.includes('/test/')
  )
  t.same(
    files.filter(file => /mkdir\w*\((?:[^()]|\([^()]*\))*recursive/.test(readFileSync(join(source, file), 'utf8'))),
    []
  )
})
