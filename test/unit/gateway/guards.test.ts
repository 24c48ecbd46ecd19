import t from 'tap'
import {hostGuard, isFromElsewhere, isToken} from '../../../src/gateway/guards.ts'

t.test('which names are ours', t => {
  const isOurs = hostGuard(['10.0.0.1', '[fd00::1]', 'Box'])
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
    t.equal(isOurs(name), true, name)
  for (const name of [
    'evil',
    'localhost.evil',
    'evil:80',
    '127.0.0.1.evil',
    '1270.0.0.1',
    '10.0.0.2',
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
    t.equal(isOurs(name), false, name)
  t.equal(isOurs('localhost'), true, 'again, after others')
  t.equal(isOurs('evil'), false)
  t.end()
})

t.test('a door that listens everywhere has every address, and no name', t => {
  for (const everywhere of ['0.0.0.0', '::', '[::]']) {
    const isOurs = hostGuard([everywhere])
    t.equal(isOurs('192.168.1.1:80'), true)
    t.equal(isOurs('[fe80::1]'), true)
    for (const name of ['evil', '[fe80::1].evil', '192.168.1.1.evil', '192.168.1.1@evil', '1.2.3'])
      t.equal(isOurs(name), false, name)
  }
  t.end()
})

t.test("which pages are somebody else's", t => {
  const isOurs = hostGuard([])
  t.equal(isFromElsewhere('', '', isOurs), false)
  t.equal(isFromElsewhere('http://localhost:3000', 'same-site', isOurs), false)
  t.equal(isFromElsewhere('https://127.0.0.1', '', isOurs), false)
  t.equal(isFromElsewhere('http://evil', '', isOurs), true)
  t.equal(isFromElsewhere('http://[::1].evil', '', isOurs), true)
  t.equal(isFromElsewhere('http://x@localhost', '', isOurs), true)
  t.equal(isFromElsewhere('null', '', isOurs), true)
  t.equal(isFromElsewhere('file://', '', isOurs), true)
  t.equal(isFromElsewhere('http://localhost/path', '', isOurs), true)
  t.equal(isFromElsewhere('', 'Cross-Site', isOurs), true)
  t.equal(isFromElsewhere('http://localhost', 'cross-site', isOurs), true)
  t.end()
})

t.test('tokens are compared whole', t => {
  t.equal(isToken('secret', 'secret'), true)
  for (const given of ['', 'secre', 'secret ', 'Secret', 'secret2']) t.equal(isToken(given, 'secret'), false)
  t.equal(isToken('t\xc3\xbc', 'tü'), true, 'given as bytes')
  t.end()
})
