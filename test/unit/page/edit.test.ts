import t from 'tap'
import {editOf, textOf} from '../../../page/calls/edit.ts'

const call = (body: string): Parameters<typeof textOf>[0] => ({
  method: 'POST',
  path: '/upload',
  request: {line: 'POST /upload HTTP/1.1', headers: [['x-user', 'ann']], body, encoding: 'utf8'}
})

t.test('line ends of a body: a text area has LF alone, a multipart form needs CRLF', async t => {
  const parts = call('--b\r\nname: a\r\n\r\n1\r\n--b--\r\n')
  const typed = textOf(parts).replaceAll('\r\n', '\n')
  t.same(
    editOf(typed.replace('ann', 'bob'), parts),
    {headers: {'x-user': 'bob'}},
    'what was left as it is is sent as it was'
  )
  t.same(editOf(typed.replace('\n1\n', '\n2\n'), parts), {body: '--b\r\nname: a\r\n\r\n2\r\n--b--\r\n'})
  const mixed = call('a\r\nb\nc')
  t.same(editOf(textOf(mixed), mixed), {})
  t.same(editOf('POST /upload\nx-user: ann\n\na\nb\nd', mixed), {body: 'a\nb\nd'})
})

t.test('several headers of one name are one list: none is lost where another one is edited', async t => {
  const headers: readonly [string, string][] = [
    ['x-tag', 'a'],
    ['X-Tag', 'b'],
    ['cookie', 'c=1'],
    ['cookie', 'd=2']
  ]
  const {request, ...rest} = call('')
  const tagged = {...rest, request: {...request, headers}}
  const typed = textOf(tagged)
  t.same(editOf(typed, tagged), {})
  t.same(editOf(typed.replace('x-tag: a', 'x-tag: z'), tagged), {headers: {'x-tag': 'z, b'}})
  t.same(editOf(typed.replace('X-Tag: b', 'X-Tag: z'), tagged), {headers: {'x-tag': 'a, z'}})
  t.same(editOf(typed.replace('X-Tag: b\n', ''), tagged), {headers: {'x-tag': 'a'}})
  t.same(editOf(typed.replace('d=2', 'd=3'), tagged), {headers: {cookie: 'c=1; d=3'}})
  t.same(editOf(typed.replace(/x-tag.*\n/gi, ''), tagged), {headers: {'x-tag': null}})
})

t.test('a path with a mask can be left as it is', async t => {
  const masked = {...call('{}'), path: '/upload?token=<masked, 3 characters>'}
  t.same(editOf(textOf(masked), masked), {})
  t.same(editOf(textOf(masked).replace('{}', '[]'), masked), {body: '[]'})
  t.same(editOf(textOf(masked).replace('POST', 'PUT'), masked), {method: 'PUT'})
  t.same(editOf('GET /upload?n=1 HTTP/1.1\nx-user: ann\n\n{}', masked), {method: 'GET', path: '/upload?n=1'})
  t.type(editOf('upload', masked), 'string')
})

t.test('a method may be any word of HTTP', async t => {
  const search = {...call(''), method: 'M-SEARCH'}
  t.same(editOf(textOf(search), search), {}, 'what was left as it is')
  t.same(editOf(textOf(search).replace('ann', 'bob'), search), {headers: {'x-user': 'bob'}})
  t.same(editOf(textOf(search).replace('M-SEARCH', 'version-control'), search), {method: 'VERSION-CONTROL'})
})
