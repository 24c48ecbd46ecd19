import t from 'tap'
import {encodeField, encodeInteger, encodeNamed} from '../field-text.ts'
import {FieldWalker} from '../field-walker.ts'
import {decodeHuffman} from '../huffman.ts'

const latin1 = (hex: string): string => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1')

const walk = (walker: FieldWalker, block: string): {readonly fields: string[]; readonly bytes: string} => {
  const fields: string[] = []
  let bytes = ''
  walker.walk(block, {
    field: field => {
      fields.push(`${field.name}: ${field.value()}`)
      bytes += field.bytes
    }
  })
  return {fields, bytes}
}

t.test('texts in the code of Huffman (RFC 7541, appendix C)', async t => {
  t.equal(decodeHuffman(latin1('f1e3 c2e5 f23a 6ba0 ab90 f4ff')), 'www.example.com')
  t.equal(decodeHuffman(latin1('a8eb 1064 9cbf')), 'no-cache')
  t.equal(decodeHuffman(latin1('25a8 49e9 5bb8 e8b4 bf')), 'custom-value')
  t.equal(decodeHuffman(''), '')
  for (const bad of ['ff', 'ffffffff', 'a8eb 1064 9cbf ff', '00', 'a8eb 1064 9cbe', 'fffffffc'])
    t.throws(() => decodeHuffman(latin1(bad)), {code: 9}, bad)
})

t.test('the requests of RFC 7541, C.3 and C.4, with a table between them', async t => {
  const blocks = [
    ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', ''],
    ['8286 84be 5808 6e6f 2d63 6163 6865', '8286 84be 5886 a8eb 1064 9cbf', 'cache-control: no-cache'],
    [
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      'custom-key: custom-value'
    ]
  ] as const
  for (const column of [0, 1] as const) {
    const walker = new FieldWalker()
    for (const [index, block] of blocks.entries()) {
      const {fields, bytes} = walk(walker, latin1(block[column]))
      const secure = index === 2
      t.strictSame(
        fields,
        [
          ':method: GET',
          `:scheme: ${secure ? 'https' : 'http'}`,
          `:path: ${secure ? '/index.html' : '/'}`,
          ':authority: www.example.com',
          block[2]
        ].filter(text => text !== '')
      )
      // what is passed on says the same to whoever has another table
      t.strictSame(walk(new FieldWalker(), bytes).fields, fields)
      t.equal(walker.isPlain, false)
    }
  }
})

t.test('a table of 0 bytes: nothing is remembered, and equal blocks mean the same', async t => {
  const walker = new FieldWalker()
  walk(walker, encodeInteger(0, 5, 0x20))
  t.equal(walker.isPlain, false)
  const block = encodeNamed(4, '/a.B/C') + encodeField('x-a', '1'.repeat(300)) + encodeField('y', '')
  t.strictSame(walk(walker, block).fields, [':path: /a.B/C', `x-a: ${'1'.repeat(300)}`, 'y: '])
  t.equal(walker.isPlain, true)
  t.equal(walker.listSize, 5 + 7 + 32 + 3 + 303 + 32 + 1 + 1 + 32)
  t.throws(() => walk(walker, latin1('be')), {code: 9})
})

const added = (name: string, value: string): string => '\x40' + encodeField(name, value).slice(1)

t.test('entries leave the table, the oldest first, when it is made smaller or is full', async t => {
  const walker = new FieldWalker()
  walk(walker, added('a', '1') + added('b', '2'))
  t.strictSame(walk(walker, latin1('be bf')).fields, ['b: 2', 'a: 1'])
  walk(walker, encodeInteger(40, 5, 0x20))
  t.strictSame(walk(walker, latin1('be')).fields, ['b: 2'])
  t.throws(() => walk(walker, latin1('bf')), {code: 9})
  walk(walker, added('long', 'x'.repeat(100)))
  t.throws(() => walk(walker, latin1('be')), {code: 9})
})

t.test('a long field that is referred to again and again', async t => {
  const walker = new FieldWalker()
  walk(walker, added('long', 'x'.repeat(4000)))
  t.equal(walk(walker, latin1('be').repeat(200)).fields.length, 200)
  let fields = 0
  t.throws(() => walker.walk(latin1('be').repeat(100_000), {field: () => void fields++}), {code: 11})
  t.ok(fields < 300, 'the rest is not read')
})

t.test('what is no block of fields', async t => {
  for (const [what, hex] of Object.entries({
    'index 0': '80',
    'an index in no table': 'ff 00',
    'a name that is cut off': '00 05 61',
    'a value that is cut off': '00 01 61 05 62',
    'no value': '00 01 61',
    'an integer without end': 'ff ff ff ff ff ff ff',
    'an integer that is cut off': 'ff',
    'a table larger than allowed': '3f e2 1f'
  }))
    t.throws(() => walk(new FieldWalker(), latin1(hex)), {code: 9}, what)
})
