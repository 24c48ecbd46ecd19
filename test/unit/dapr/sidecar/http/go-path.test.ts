import t from 'tap'
import {
  badEscape,
  cleanPath,
  escapedPath,
  isPlainPath,
  unescapePath,
  unescapeQuery
} from '../../../../../src/dapr/sidecar/http/go-path.ts'

t.test('escapes are decoded byte by byte', async t => {
  t.equal(unescapePath('a%20b%2Fc%c3%A9+%00'), 'a b/c\xc3\xa9+\0')
  t.equal(unescapeQuery('a+b%20c%2B'), 'a b c+')
  t.equal(unescapeQuery('a%zz'), undefined)
})

t.test('a bad escape is found', async t => {
  t.equal(badEscape('a%20%2f'), undefined)
  t.strictSame(['a%', 'a%4', 'a%zz', '%20%s', '%%20', 'a%stream'].map(badEscape), '% %4 %zz %s %%2 %st'.split(' '))
})

t.test('a path is cleaned', async t => {
  const cases = {
    '/': '/',
    '': '.',
    '/a//b/': '/a/b',
    '/a/./b/../c': '/a/c',
    '/../../a': '/a',
    'a/../..': '..',
    '../../a': '../../a',
    './a': 'a',
    '/..': '/',
    '/.a/..b/...': '/.a/..b/...'
  }
  for (const [path, expected] of Object.entries(cases)) t.equal(cleanPath(path), expected, path)
})

t.test('most paths need no care', async t => {
  for (const path of ['/', '/a', '/a/b-c_d~e.f', "/!$&'()*+,;=:@", '/a.b']) t.equal(isPlainPath(path), true, path)
  for (const path of ['', 'a', '/a/', '//', '/a//b', '/.a', '/a/..', '/%20', '/a b', '/a[', '/\xe9', '/a?', '/a#'])
    t.equal(isPlainPath(path), false, path)
})

t.test('a path is written as it is where it may stand so, else escaped anew', async t => {
  const cases = {
    "/a-b_c.d~e!$&'()*+,;=:@[]": "/a-b_c.d~e!$&'()*+,;=:@[]",
    '/a%2Fb%41': '/a%2Fb%41',
    '/a b': '/a%20b',
    "/a b'()*![]%41": '/a%20b%27%28%29%2A%21%5B%5DA',
    '/"\\{}|^`<>': '/%22%5C%7B%7D%7C%5E%60%3C%3E',
    '/\xc3\xa9\xff': '/%C3%A9%FF'
  }
  for (const [path, expected] of Object.entries(cases)) t.equal(escapedPath(path), expected, path)
})
