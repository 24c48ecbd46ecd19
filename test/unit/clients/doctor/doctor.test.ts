import t from 'tap'
import {checkProxy, checkInstallation} from '../../../../src/clients/doctor/doctor.ts'
import {chmodSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'

const kinds = (env: Readonly<Record<string, string>>): readonly string[] => checkProxy(env).map(({kind}) => kind)

t.test('a proxy is wrong unless the loopback is spared by both its names', async t => {
  t.same(kinds({}), ['ok'])
  t.same(kinds({HTTP_PROXY: ''}), ['ok'])
  t.same(kinds({HTTPS_PROXY: 'x'}), ['ok'], 'sidecars speak plain HTTP')
  t.same(kinds({http_proxy: 'x'}), ['fail'])
  t.same(kinds({ALL_PROXY: 'x', NO_PROXY: 'localhost'}), ['fail'])
  t.same(kinds({HTTP_PROXY: 'x', no_proxy: 'a, localhost,127.0.0.1'}), ['ok'])
  t.same(kinds({HTTP_PROXY: 'x', NO_PROXY: '*'}), ['ok'])
})

t.test('the advice keeps what NO_PROXY spares already', async t => {
  const [check] = checkProxy({HTTP_PROXY: 'x', NO_PROXY: 'intra, localhost'})
  t.equal(check?.advice, 'export NO_PROXY=intra,localhost,127.0.0.1,::1 no_proxy=intra,localhost,127.0.0.1,::1')
})

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
