import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {findProgram} from '../../../src/platform/program-version.ts'

t.test('a folder, or a file that may not be executed, is no program of PATH', t => {
  const root = t.testdir({a: {tool: {}}, b: {tool: ''}, c: {tool: ''}})
  chmodSync(join(root, 'c/tool'), 0o755)
  const path = ['a', 'b', 'c'].map(name => join(root, name)).join(':')
  t.equal(findProgram('tool', path), join(root, 'c/tool'))
  t.equal(findProgram('none', path), undefined)
  t.end()
})
