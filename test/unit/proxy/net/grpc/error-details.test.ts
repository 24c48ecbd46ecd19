import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import t from 'tap'
import {detailsOf} from '../../../../../src/proxy/net/grpc/error-details.ts'

const COUNT = 30_000

/** A `google.rpc.Status` with one detail. */
const statusWith = (type: string, write: (detail: BinaryWriter) => void): Uint8Array => {
  const detail = new BinaryWriter()
  write(detail)
  const status = new BinaryWriter().tag(3, WireType.LengthDelimited).fork()
  status.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/google.rpc.${type}`)
  status.tag(2, WireType.LengthDelimited).bytes(detail.finish())
  return status.join().finish()
}

t.test('details of many entries take no longer for each of them', async t => {
  const info = statusWith('ErrorInfo', detail => {
    for (let at = 0; at < COUNT; at++) {
      detail.tag(3, WireType.LengthDelimited).fork()
      detail.tag(1, WireType.LengthDelimited).string(`k${at}`).tag(2, WireType.LengthDelimited).string('v').join()
    }
  })
  t.equal(Object.keys(detailsOf(info)[0]?.['metadata'] as object).length, COUNT)
  const trace = statusWith('DebugInfo', detail => {
    for (let at = 0; at < COUNT; at++) detail.tag(1, WireType.LengthDelimited).string(`at ${at}`)
  })
  t.strictSame(
    detailsOf(trace)[0]?.['stackEntries'],
    Array.from({length: COUNT}, (_, at) => `at ${at}`)
  )
})

const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).string(value)

t.test('a violation says in the language of the user what is wrong', async t => {
  const status = statusWith('BadRequest', detail => {
    const violation = text(detail.tag(1, WireType.LengthDelimited).fork(), 1, 'name')
    text(text(violation.tag(4, WireType.LengthDelimited).fork(), 1, 'de'), 2, 'fehlt')
      .join()
      .join()
  })
  t.match(detailsOf(status), [{fieldViolations: [{field: 'name', localizedMessage: {locale: 'de', message: 'fehlt'}}]}])
})
