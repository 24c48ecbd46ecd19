import {gzipSync} from 'node:zlib'
import t from 'tap'
import {plainBytes} from '../../../../src/observe/dashboard/listener.ts'

t.test('a file of the page is unpacked once', async t => {
  const file = {type: 'text/html', gzip: gzipSync('<p>')}
  t.equal(plainBytes(file).toString(), '<p>')
  t.equal(plainBytes(file), plainBytes(file))
})
