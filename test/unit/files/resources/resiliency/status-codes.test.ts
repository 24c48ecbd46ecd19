import t from 'tap'
import {
  GRPC_CODE_RANGE,
  HTTP_CODE_RANGE,
  isRetried,
  parseStatusCodes,
  type CodeRange
} from '../../../../../src/files/resources/resiliency/status-codes.ts'

const parse = (list: string, valid: CodeRange): readonly CodeRange[] => {
  const ranges = parseStatusCodes(list, valid)
  if ('message' in ranges) throw new Error(ranges.message)
  return ranges
}

// The codes of Dapr's pkg/resiliency/retry_test.go and of its integration tests retrymatchinghttp and retrymatchinggrpc.
t.test('which failing answers are retried', async t => {
  const table: readonly (readonly [http: string | undefined, grpc: string | undefined, yes: number[], no: number[]])[] =
    [
      [undefined, undefined, [101, 400, 404, 500, 509, 599, 0, 1, 16], [17, 20, 99, 600, 999]],
      ['200,201,202,203,204,300-309,400,500,505-509', undefined, [200, 204, 300, 400, 500, 509, 14], [310, 404, 504]],
      [
        '100,101,102,200,304,403,505,501-503,509,546,547',
        undefined,
        [403, 501, 502, 503, 505, 509, 546, 547, 101],
        [404, 504, 548]
      ],
      [undefined, '2,8-10,11,13-15', [2, 8, 9, 10, 11, 13, 14, 15, 500], [0, 1, 3, 4, 5, 6, 7, 12, 16]],
      ['500,,', undefined, [500], [501]],
      [',', undefined, [], [400, 500]],
      ['200,301', undefined, [], [500, 404]],
      ['400-550', undefined, [500, 400, 550], [551]]
    ]
  for (const [http, grpc, yes, no] of table) {
    const matching = {
      http: http === undefined ? undefined : parse(http, HTTP_CODE_RANGE),
      grpc: grpc === undefined ? undefined : parse(grpc, GRPC_CODE_RANGE)
    }
    for (const code of yes) t.equal(isRetried(matching, code), true, `${http ?? ''}/${grpc ?? ''}: ${code}`)
    for (const code of no) t.equal(isRetried(matching, code), false, `${http ?? ''}/${grpc ?? ''}: ${code}`)
  }
})

t.test('lists that are refused, in the words of Dapr, with the place of the bad part', async t => {
  const table: readonly (readonly [string, CodeRange, string, number])[] = [
    ['399-299', HTTP_CODE_RANGE, 'invalid pattern 399-299, start value should not bigger than end value', 0],
    ['1,2', HTTP_CODE_RANGE, 'invalid pattern 1, start code 1 is not valid', 0],
    ['500,700', HTTP_CODE_RANGE, 'invalid pattern 700, start code 700 is not valid', 4],
    ['500-700', HTTP_CODE_RANGE, 'invalid pattern 500-700, end code 700 is not valid', 0],
    ['400', GRPC_CODE_RANGE, 'invalid pattern 400, start code 400 is not valid', 0],
    ['199-299-300', HTTP_CODE_RANGE, "invalid pattern 199-299-300, more than one '-' exists", 0],
    [
      '500, 501',
      HTTP_CODE_RANGE,
      'failed to parse start code  501 from pattern  501 to int, strconv.Atoi: parsing " 501": invalid syntax',
      4
    ],
    [
      '5xx',
      HTTP_CODE_RANGE,
      'failed to parse start code 5xx from pattern 5xx to int, strconv.Atoi: parsing "5xx": invalid syntax',
      0
    ],
    [
      '500-',
      HTTP_CODE_RANGE,
      'failed to parse end code  from pattern 500- to int, strconv.Atoi: parsing "": invalid syntax',
      0
    ]
  ]
  for (const [list, valid, message, offset] of table)
    t.strictSame(parseStatusCodes(list, valid), {message, offset}, list)
})
