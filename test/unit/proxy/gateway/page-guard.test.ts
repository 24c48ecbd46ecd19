import t from 'tap'
import {PageGuard, pageSignsOf} from '../../../../src/proxy/gateway/page-guard.ts'

t.test('which requests may come from a page of elsewhere', async t => {
  const guard = new PageGuard(['https://Shop.example/', 'http://192.168.1.5:80', 'chrome-extension://abc'])
  const table: readonly (readonly [string, string, boolean])[] = [
    ['', '', false],
    ['', 'none', false],
    ['', 'same-origin', false],
    ['', 'Cross-Site', true],
    ['http://localhost:3000', '', false],
    ['http://localhost:3000', 'cross-site', false],
    ['https://127.0.0.1', '', false],
    ['http://[::1]:80', '', false],
    ['http://evil.example', '', true],
    ['http://evil.example', 'same-origin', true],
    ['http://localhost.evil.example', '', true],
    ['http://x@localhost', '', true],
    ['http://localhost/x', '', true],
    ['null', '', true],
    ['file://', '', true],
    ['https://shop.example', 'cross-site', false],
    ['https://shop.example:443', '', false],
    ['http://shop.example', '', true],
    ['http://192.168.1.5', '', false],
    ['http://192.168.1.5:3000', '', true],
    ['chrome-extension://abc', 'cross-site', false]
  ]
  for (const [origin, fetchSite, isForeign] of table)
    t.equal(guard.isForeign({origin, fetchSite}), isForeign, `${origin} ${fetchSite}`)
  t.equal(new PageGuard(['*']).isForeign({origin: 'null', fetchSite: 'cross-site'}), false)
})

t.test('what headers say of a page', async t => {
  const headers = [
    'Host',
    'a',
    'ORIGIN',
    'http://a',
    'origin',
    'http://b',
    'Sec-Fetch-Site',
    'cross-site',
    'Accept',
    ''
  ]
  t.strictSame(pageSignsOf(headers), {origin: 'http://a', fetchSite: 'cross-site'})
  t.strictSame(pageSignsOf(['Accept', '*/*']), {origin: '', fetchSite: ''})
})
