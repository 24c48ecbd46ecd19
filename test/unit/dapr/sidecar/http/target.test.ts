import t from 'tap'
import {findTarget, idOfBasic, splitTarget} from '../../../../../src/dapr/sidecar/http/target.ts'

t.test('a target is split', async t => {
  const cases = {
    '/a?b?c': {authority: '', path: '/a', query: '?b?c'},
    '/a?': {authority: '', path: '/a', query: ''},
    '/a?b#c': {authority: '', path: '/a', query: '?b'},
    'http://x:1/a?b': {authority: 'x:1', path: '/a', query: '?b'},
    'HTTPS://x': {authority: 'x', path: '/', query: ''},
    'http://x?b': {authority: 'x', path: '', query: '?b'},
    '*': {authority: '', path: '*', query: ''},
    '/http://x': {authority: '', path: '/http://x', query: ''}
  }
  for (const [target, expected] of Object.entries(cases)) t.strictSame(splitTarget(target), expected, target)
})

const find = (target: string, givenId = ''): string | undefined => {
  const found = findTarget(splitTarget(target), givenId)
  return found && `${found.id} ${found.fault || found.path}`
}

t.test('the URL names callee and method', async t => {
  const cases = {
    '/v1.0/invoke/b/method/x': 'b /x',
    '/v1.0/invoke/b/method/x/y?q=1': 'b /x/y?q=1',
    '/v1.0/invoke/b/method/': 'b /',
    '/v1.0///invoke//b/method//x': 'b /x',
    '/v1.0/invoke/b/method/method/x': 'b /method/x',
    '/v1.0/invoke/b/c/method/x': 'b/c /x',
    '/v1.0/invoke/b.ns/method/x': 'b /x',
    '/v1.0/invoke/b+c/method/x': 'b c /x',
    '/v1.0/invoke/b%2Bc/method/x': 'b c /x',
    '/v1.0/invoke/b%252Bc/method/x': 'b+c /x',
    '/v1.0/invoke/b%25zz/method/x': 'b%zz /x',
    '/v1.0/invoke/./method/x': ' /x'
  }
  for (const [target, expected] of Object.entries(cases)) t.equal(find(target), expected, target)
})

t.test('nobody is named', async t => {
  for (const target of '/ * /v1.0/invoke/b /v1.0/invoke/b/method /v1.0/invoke//method/x /v1.0invoke/b/method/x'.split(
    ' '
  ))
    t.equal(find(target), undefined, target)
})

t.test('with an id outside the URL the whole path is the method', async t => {
  t.equal(find('/', 'b'), 'b /')
  t.equal(find('/v1.0/invoke/c/method/x?q', 'b'), 'b /v1.0/invoke/c/method/x?q')
  t.equal(find('//a/../b/', 'b'), 'b /b')
  t.equal(find('/a%20b', 'b.ns'), 'b /a%20b')
  t.equal(find('/a', 't\xc3\xbc'), 'tü /a')
})

t.test('what cannot be called says why', async t => {
  t.match(find('/v1.0/invoke/a.b.c/method/x'), / invalid app id a\.b\.c$/)
  t.match(find('/v1.0/invoke/../method/x'), / invalid app id \.\.$/)
  t.equal(find('/v1.0/invoke/http%3A%2F%2Fx.y.z/method/x'), 'http://x.y.z /x', 'a URL has dots of its own')
  t.match(find('/v1.0/invoke/b/method/a%23b'), /forbidden character: "a#b"$/)
  t.match(find('/v1.0/invoke/b/method/a%01b'), /control character at position 1: "a\\x01b"$/)
  t.match(find('/v1.0/invoke/b/method/a%25'), /parse "\/a%": invalid URL escape "%"$/)
})

const basic = (text: string): string => idOfBasic(`Basic ${Buffer.from(text).toString('base64')}`)

t.test('Basic credentials may hold the id', async t => {
  t.equal(basic('dapr-app-id:b'), 'b')
  t.equal(basic('DAPR-APP-ID:b'), 'b')
  t.equal(basic('dapr-app-id:b:c'), '')
  t.equal(basic('me:b'), '')
  t.equal(idOfBasic('Bearer abc'), '')
  t.equal(idOfBasic(''), '')
})
