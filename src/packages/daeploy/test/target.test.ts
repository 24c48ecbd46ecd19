import t from 'tap'
import {readTarget, rewriteLocation} from '../target.ts'

t.test('a path behind /services/ is split into who is meant and what the service gets', async t => {
  const cases: readonly (readonly [path: string, segment: string, name: string, rest: string])[] = [
    ['/services/scales/weigh', 'scales', 'scales', '/weigh'],
    ['/services/scales_1.0.0/weigh', 'scales_1.0.0', 'scales_1.0.0', '/weigh'],
    ['/services/scales', 'scales', 'scales', '/'],
    ['/services/scales/', 'scales', 'scales', '/'],
    ['/services/scales/a//b/%2F', 'scales', 'scales', '/a//b/%2F'],
    ['/services/s_1.0.0%2Bb/x', 's_1.0.0%2Bb', 's_1.0.0+b', '/x'],
    ['/services/s_1.0.0-rc.1+b/x', 's_1.0.0-rc.1+b', 's_1.0.0-rc.1+b', '/x'],
    ['/services/bad%zz/x', 'bad%zz', 'bad%zz', '/x'],
    ['/services/scales/~monitor', 'scales', 'scales', '/~monitor']
  ]
  for (const [path, segment, name, rest] of cases)
    t.same(readTarget(path, '?q=1'), {segment, name, path: `${rest}?q=1`}, path)
})

t.test("what is the manager's own names no service", async t => {
  for (const path of ['/services', '/services/', '/services/~logs', '/services//x', '/notifications/', '/'])
    t.equal(readTarget(path, ''), undefined, path)
})

t.test('a redirect of a service leads its caller back through the manager’s routes', async t => {
  const at = {host: 'localhost', name: 'scales', version: '1.0.0', segment: 'scales'}
  const cases: readonly (readonly [location: string, expected: string])[] = [
    ['http://localhost/weigh', '/services/scales/weigh'],
    ['http://LOCALHOST:8000/weigh?a=1#b', '/services/scales/weigh?a=1#b'],
    ['http://localhost', '/services/scales/'],
    ['http://localhost?a', '/services/scales/?a'],
    ['/weigh', '/services/scales/weigh'],
    ['http://localhost/services/scales_1.0.0/weigh', '/services/scales/weigh'],
    ['/services/scales_1.0.0/weigh', '/services/scales/weigh'],
    ['/services/scales/weigh', '/services/scales/weigh'],
    ['/services/scales_1.0.0', '/services/scales'],
    ['/services/scales_2.0.0/weigh', '/services/scales_2.0.0/weigh'],
    ['/services/other/x', '/services/other/x'],
    ['http://localhost/services/other/x', '/services/other/x'],
    ['/services/scalesx/weigh', '/services/scalesx/weigh'],
    ['next', 'next'],
    ['../up', '../up'],
    ['?page=2', '?page=2'],
    ['//elsewhere.test/x', '//elsewhere.test/x'],
    ['https://elsewhere.test/weigh', 'https://elsewhere.test/weigh'],
    ['http://localhost.evil.test/x', 'http://localhost.evil.test/x']
  ]
  for (const [location, expected] of cases) t.equal(rewriteLocation({...at, location}), expected, location)
})

t.test('the segment that the caller used stands in front, whatever port and address he wrote', async t => {
  const at = {location: 'http://127.0.0.1/x', name: 'a', version: '1.0.0', segment: 'a_1.0.0'}
  t.equal(rewriteLocation({...at, host: '127.0.0.1:5080'}), '/services/a_1.0.0/x')
  t.equal(rewriteLocation({...at, host: 'localhost:5080'}), 'http://127.0.0.1/x')
  t.equal(rewriteLocation({...at, location: 'http://[::1]:9/x', host: '[::1]:5080'}), '/services/a_1.0.0/x')
})
