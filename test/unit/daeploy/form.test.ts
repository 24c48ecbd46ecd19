import t from 'tap'
import {readForm} from '../../../src/daeploy/form.ts'

const body = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')

t.test('the fields of a form are read, bytes as they are', async t => {
  const parts = readForm(
    'multipart/form-data; boundary=b1',
    body(
      '--b1\nContent-Disposition: form-data; name="name"\n\nhello\n--b1\nContent-Disposition: form-data; name="file"; filename="f"\nContent-Type: application/x-gzip\n\n\u001f\u008b--b\n\n--b1\nContent-Disposition: form-data; name="empty"\n\n\n--b1--\n'
    )
  )
  t.same(
    parts.map(({name, isFile, bytes}) => [name, isFile, bytes.toString('latin1')]),
    [
      ['name', false, 'hello'],
      ['file', true, '\u001f\u008b--b\r\n'],
      ['empty', false, '']
    ]
  )
})

t.test('a boundary may be quoted, and something may stand before the first', async t => {
  const parts = readForm(
    'multipart/form-data; charset=utf-8; boundary="a b"',
    body('preamble\n--a b\nContent-Disposition: form-data; name="x"\n\n1\n--a b--')
  )
  t.match(parts, [{name: 'x', bytes: Buffer.from('1')}])
})

t.test('what is no form, or is cut off, is refused', async t => {
  t.throws(() => readForm('application/json', body('{}')), /no multipart/)
  t.throws(() => readForm('multipart/form-data; boundary=b', body('nothing')), /boundary is missing/)
  t.throws(
    () => readForm('multipart/form-data; boundary=b', body('--b\nContent-Disposition: form-data; name="x"\n\n1')),
    /cut off/
  )
  t.throws(() => readForm('multipart/form-data; boundary=b', body('--b\n')), /cut off/)
})
