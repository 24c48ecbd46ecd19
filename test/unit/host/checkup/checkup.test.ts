import t from 'tap'
import {checkProxy} from '../../../../src/host/checkup/checkup.ts'

const kinds = (env: Readonly<Record<string, string>>): readonly string[] => checkProxy(env).map(({kind}) => kind)

t.test('a proxy is wrong unless the loopback is spared by both its names', t => {
  t.same(kinds({}), ['well'])
  t.same(kinds({HTTP_PROXY: ''}), ['well'])
  t.same(kinds({HTTPS_PROXY: 'x'}), ['well'], 'doors speak plain HTTP')
  t.same(kinds({http_proxy: 'x'}), ['wrong'])
  t.same(kinds({ALL_PROXY: 'x', NO_PROXY: 'localhost'}), ['wrong'])
  t.same(kinds({HTTP_PROXY: 'x', no_proxy: 'a, localhost,127.0.0.1'}), ['well'])
  t.same(kinds({HTTP_PROXY: 'x', NO_PROXY: '*'}), ['well'])
  t.end()
})

t.test('the advice keeps what NO_PROXY spares already', t => {
  const [remark] = checkProxy({HTTP_PROXY: 'x', NO_PROXY: 'intra, localhost'})
  t.equal(remark?.advice, 'export NO_PROXY=intra,localhost,127.0.0.1,::1 no_proxy=intra,localhost,127.0.0.1,::1')
  t.end()
})
