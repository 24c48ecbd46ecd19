import t from 'tap'
import {checkProxy} from '../../../../src/clients/doctor/doctor.ts'

const kinds = (env: Readonly<Record<string, string>>): readonly string[] => checkProxy(env).map(({kind}) => kind)

t.test('a proxy is wrong unless the loopback is spared by both its names', t => {
  t.same(kinds({}), ['ok'])
  t.same(kinds({HTTP_PROXY: ''}), ['ok'])
  t.same(kinds({HTTPS_PROXY: 'x'}), ['ok'], 'sidecars speak plain HTTP')
  t.same(kinds({http_proxy: 'x'}), ['fail'])
  t.same(kinds({ALL_PROXY: 'x', NO_PROXY: 'localhost'}), ['fail'])
  t.same(kinds({HTTP_PROXY: 'x', no_proxy: 'a, localhost,127.0.0.1'}), ['ok'])
  t.same(kinds({HTTP_PROXY: 'x', NO_PROXY: '*'}), ['ok'])
  t.end()
})

t.test('the advice keeps what NO_PROXY spares already', t => {
  const [check] = checkProxy({HTTP_PROXY: 'x', NO_PROXY: 'intra, localhost'})
  t.equal(check?.advice, 'export NO_PROXY=intra,localhost,127.0.0.1,::1 no_proxy=intra,localhost,127.0.0.1,::1')
  t.end()
})
