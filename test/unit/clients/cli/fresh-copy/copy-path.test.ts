import {join} from 'node:path'
import t from 'tap'
import {copyPath} from '../../../../../src/clients/cli/fresh-copy/copy-path.ts'

t.test('the progress of a copy counts folders as well as files, and ends with all', async t => {
  const folder = t.testdir({from: {a: {b: {c: 'c'}, d: {}}, e: 'e'}})
  const parts: number[] = []
  const copied = await copyPath(join(folder, 'from'), join(folder, 'to'), part => parts.push(part))
  t.match(copied, {files: 2, folders: 4})
  t.same(parts, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
})
