import t from 'tap'
import {hostGuard, isCrossOrigin, isToken} from '../../../../src/proxy/gateway/guards.ts'

t.test('which host names are allowed', async t => {
  const isAllowedHost = hostGuard(['10.0.0.1', '[fd00::1]', 'Box'])
  for (const name of [
    'localhost',
    'LocalHost:80',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]',
    '[::1]:80',
    '::1',
    '10.0.0.1:1',
    '[FD00::1]:1',
    'box'
  ])
    t.equal(isAllowedHost(name), true, name)
  for (const name of [
    ...'evil localhost.evil evil:80 127.0.0.1.evil 1270.0.0.1 10.0.0.2'.split(' '),
    '[::2]',
    '',
    ':80',
    '[',
    'localhost:80:80',
    'localhost:x',
    'x@localhost',
    'localhost@evil',
    '127.0.0.1@evil',
    '[::1].evil.example',
    '[::1].evil.example:80',
    '[::1]evil',
    '[::1]]',
    '[::1',
    '[[::1]]',
    '[localhost]',
    '[127.0.0.1]',
    '[fd00::1].evil',
    '[box]',
    '127.0.0.1x',
    '127.0.0.256',
    'localhost '
  ])
    t.equal(isAllowedHost(name), false, name)
  t.equal(isAllowedHost('localhost'), true, 'again, after others')
  t.equal(isAllowedHost('evil'), false)
})

t.test('a sidecar that listens on all addresses allows every address, and no name', async t => {
  for (const everywhere of ['0.0.0.0', '::', '[::]']) {
    const isAllowedHost = hostGuard([everywhere])
    t.equal(isAllowedHost('192.168.1.1:80'), true)
    t.equal(isAllowedHost('[fe80::1]'), true)
    for (const name of ['evil', '[fe80::1].evil', '192.168.1.1.evil', '192.168.1.1@evil', '1.2.3'])
      t.equal(isAllowedHost(name), false, name)
  }
})

t.test('which pages are cross-origin', async t => {
  const isAllowedHost = hostGuard([])
  t.equal(isCrossOrigin('', '', isAllowedHost), false)
  t.equal(isCrossOrigin('http://localhost:3000', 'same-site', isAllowedHost), false)
  t.equal(isCrossOrigin('https://127.0.0.1', '', isAllowedHost), false)
  t.equal(isCrossOrigin('http://evil', '', isAllowedHost), true)
  t.equal(isCrossOrigin('http://[::1].evil', '', isAllowedHost), true)
  t.equal(isCrossOrigin('http://x@localhost', '', isAllowedHost), true)
  t.equal(isCrossOrigin('null', '', isAllowedHost), true)
  t.equal(isCrossOrigin('file://', '', isAllowedHost), true)
  t.equal(isCrossOrigin('http://localhost/path', '', isAllowedHost), true)
  t.equal(isCrossOrigin('', 'Cross-Site', isAllowedHost), true)
  t.equal(isCrossOrigin('http://localhost', 'cross-site', isAllowedHost), true)
})

t.test('tokens are compared completely', async t => {
  t.equal(isToken('secret', 'secret'), true)
  for (const given of ['', 'secre', 'secret ', 'Secret', 'secret2']) t.equal(isToken(given, 'secret'), false)
  t.equal(isToken('t\xc3\xbc', 'tü'), true, 'given as bytes')
})
