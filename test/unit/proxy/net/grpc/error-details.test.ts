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

const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).string(value)

t.test('details of many entries take no longer for each of them', async t => {
  const info = statusWith('ErrorInfo', detail => {
    for (let at = 0; at < COUNT; at++)
      text(text(detail.tag(3, WireType.LengthDelimited).fork(), 1, `k${at}`), 2, 'v').join()
  })
  t.equal(Object.keys(detailsOf(info)[0]?.['metadata'] as object).length, COUNT)
  const entries = Array.from({length: COUNT}, (_, at) => `at ${at}`)
  const trace = statusWith('DebugInfo', detail => entries.forEach(each => text(detail, 1, each)))
  t.strictSame(detailsOf(trace)[0]?.['stackEntries'], entries)
})

t.test('a violation says in the language of the user what is wrong, and has the numbers of a quota', async t => {
  const status = statusWith('BadRequest', detail => {
    const violation = text(detail.tag(1, WireType.LengthDelimited).fork(), 1, 'name')
    text(text(violation.tag(4, WireType.LengthDelimited).fork(), 1, 'de'), 2, 'fehlt')
      .join()
      .join()
  })
  t.match(detailsOf(status), [{fieldViolations: [{field: 'name', localizedMessage: {locale: 'de', message: 'fehlt'}}]}])
  const quota = statusWith('QuotaFailure', detail => {
    const violation = detail.tag(1, WireType.LengthDelimited).fork()
    text(text(violation.tag(6, WireType.LengthDelimited).fork(), 1, 'region'), 2, 'eu').join()
    violation.tag(7, WireType.Varint).int64(10).tag(8, WireType.Varint).int64(0).join()
  })
  const violation = {quotaDimensions: {region: 'eu'}, quotaValue: '10', futureQuotaValue: '0'}
  t.strictSame(detailsOf(quota)[0]?.['violations'], [violation])
})
