import t from 'tap'
import {decodeText} from '../../../../src/files/yaml/decode-text.ts'
import {RESOURCE} from '../../../../src/files/yaml/other-dialects.ts'
import {readYaml} from '../../../../src/files/yaml/read.ts'

t.test('UTF-8 and UTF-16, with and without a mark', async t => {
  const text = 'a: é😀\n'
  const little = Buffer.from(`\uFEFF${text}`, 'utf16le')
  t.equal(decodeText(Buffer.from(text)), text)
  t.equal(decodeText(Buffer.from(`\uFEFF${text}`)), text)
  t.equal(decodeText(little), text)
  t.equal(decodeText(Buffer.from(little).swap16()), text)
})

t.test('invalid bytes are refused where they are; the other parts of a file count', async t => {
  const bytes = Buffer.from('a: 1\n---\nb: Andr\xE9\n---\nc: 1\n', 'latin1')
  const [first, second, third] = readYaml(decodeText(bytes), RESOURCE)
  t.ok(first?.root)
  t.match(second?.fault, {code: 'invalid-utf8', spot: {start: 16}})
  t.ok(third?.root)
  t.notOk(readYaml(decodeText(Buffer.from('a: \uFFFD\n')), RESOURCE)[0]?.fault, 'a replacement character of the text')
})
