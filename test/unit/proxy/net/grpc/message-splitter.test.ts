import t from 'tap'
import {framed} from '../../../../../src/proxy/net/grpc/message-gauge.ts'
import {MessageSplitter} from '../../../../../src/proxy/net/grpc/message-splitter.ts'

const MESSAGES = ['', 'a', 'ä€', 'x'.repeat(300), '']
const TEXT = MESSAGES.map((each, at) => framed(Buffer.from(each), at === 1)).join('')

t.test('messages come whole, however their bytes come', async t => {
  for (let size = 1; size <= TEXT.length; size++) {
    const splitter = new MessageSplitter(0)
    const found: string[] = []
    for (let at = 0; at < TEXT.length; at += size)
      for (const piece of splitter.take(TEXT.slice(at, at + size)))
        found.push(typeof piece !== 'object' ? 'too large' : `${piece.flag}${piece.bytes.toString()}`)
    if (found.join('|') !== MESSAGES.map((each, at) => (at === 1 ? 1 : 0).toString() + each).join('|'))
      t.fail(`pieces of ${size} bytes: ${found.join('|')}`)
    if (splitter.isWithin) t.fail('something is left')
  }
})

t.test('a message in pieces of one byte takes time in proportion to its length', async t => {
  const splitter = new MessageSplitter(0)
  const text = framed(Buffer.alloc(2_000_000, 'x'))
  let found = 0
  for (let at = 0; at < text.length; at++) found += splitter.take(text.charAt(at)).length
  t.equal(found, 1)
})

t.test('a message that is too large is told before it has come', async t => {
  const splitter = new MessageSplitter(3)
  const pieces = splitter.take(framed(Buffer.from('abc')) + framed(Buffer.from('abcd')).slice(0, 5))
  t.match(pieces, [{flag: 0, bytes: Buffer.from('abc')}, 4])
  t.ok(splitter.isWithin)
})
