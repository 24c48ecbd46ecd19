import {chmodSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {checkInstallation} from '../../../../src/clients/doctor/installation.ts'

t.test('a second pillion in PATH is told, a second way to the same one is not', async t => {
  const folder = t.testdir({a: {pillion: ''}, b: {pillion: ''}, c: {pillion: ''}, d: {}})
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => join(folder, name)) as [string, string, string, string]
  for (const each of [a, b]) chmodSync(join(each, 'pillion'), 0o755)
  chmodSync(join(c, 'pillion'), 0o644) // cannot be started
  symlinkSync(join(a, 'pillion'), join(d, 'pillion'))
  t.same(checkInstallation({PATH: `${a}:${d}:${c}`}, 'linux'), [])
  t.match(checkInstallation({PATH: `${b}:${a}:${d}`}, 'linux'), [
    {kind: 'note', text: `PATH has several pillions: ${b}/pillion, ${a}/pillion`, advice: /Shells start the first/}
  ])
})

t.test('a Mac is told that nobody has tried it there', async t => {
  t.match(checkInstallation({}, 'darwin'), [{kind: 'note', text: /it has not run on a Mac yet/, advice: /report/}])
})
