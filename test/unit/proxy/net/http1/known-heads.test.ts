import t from 'tap'
import {nameReader} from '../../../../../src/proxy/net/http1/header-kinds.ts'
import {KnownHeads} from '../../../../../src/proxy/net/http1/known-heads.ts'
import {PLAIN_RULES, RESPONSE_KINDS} from '../../../../../src/proxy/net/http1/response-head.ts'
import {ResponseHeads} from '../../../../../src/proxy/net/http1/response-heads.ts'

const headOf = (name: string, body = ''): {text: string; size: number} => {
  const head = `GET /${name} HTTP/1.1\r\n\r\n`
  return {text: head + body, size: head.length}
}

t.test('a head is known that is the same to the byte, whatever comes behind it', async t => {
  const heads = new KnownHeads<ReturnType<typeof headOf>>()
  const known = headOf('a', 'one body')
  heads.add(known)
  t.equal(heads.find(headOf('a', 'another').text), known)
  t.equal(heads.find(headOf('a').text), known)
  t.equal(heads.find(headOf('b').text), undefined)
  t.equal(heads.find(headOf('a').text.slice(0, -1)), undefined, 'the head is not complete')
  t.equal(heads.find(''), undefined)
})

t.test('the oldest head makes room, and long texts are not kept', async t => {
  const heads = new KnownHeads<ReturnType<typeof headOf>>()
  for (const name of ['a', 'b', 'c', 'd', 'e']) heads.add(headOf(name))
  t.equal(heads.find(headOf('a').text), undefined)
  for (const name of ['b', 'c', 'd', 'e']) t.ok(heads.find(headOf(name).text), name)
  heads.add(headOf('f', 'x'.repeat(10_000)))
  t.equal(heads.find(headOf('f').text), undefined)
})

t.test('a response with a head that came before has its own body', async t => {
  const heads = new ResponseHeads()
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Marked: 1\r\n\r\n'
  const first = heads.read(`${head}one`, false, PLAIN_RULES)
  const second = heads.read(`${head}two`, false, PLAIN_RULES)
  t.match(first, {status: 200, left: 3, size: head.length, text: `${head}one`})
  t.match(second, {status: 200, left: 3, size: head.length, text: `${head}two`})
  t.match(heads.read(head, true, PLAIN_RULES), {left: 0}, 'one to HEAD has none')
  t.match(heads.read(`${head}six`, false, PLAIN_RULES), {left: 3})
  const rules = {kinds: nameReader({...RESPONSE_KINDS, 'x-marked': 8}), prefix: ''}
  t.match(heads.read(`${head}two`, false, rules), {flags: 8}, 'read by other rules')
  t.match(heads.read(`${head}two`, false, PLAIN_RULES), {flags: 0})
  t.equal(heads.read(head.slice(0, -2), false, PLAIN_RULES), undefined, 'it is not complete')
  t.type(heads.read('nonsense\r\n\r\n', false, PLAIN_RULES), 'string')
})
