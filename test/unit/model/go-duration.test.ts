import t from 'tap'
import {formatGoDuration, parseGoDuration} from '../../../src/model/go-duration.ts'

t.test('durations as Go and Dapr read them', async t => {
  const table: readonly (readonly [string, number | string])[] = [
    ['5s', 5000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['1h15m30.918s', 4_530_918],
    ['.5s', 500],
    ['5.s', 5000],
    ['-1.5s', -1500],
    ['+5s', 5000],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['100μs', 0.1],
    ['10ns', 0.00001],
    ['0', 0],
    ['5000', 5000],
    ['-200', -200],
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['five', 'time: invalid duration "five"'],
    ['.s', 'time: invalid duration ".s"'],
    ['5.5', 'time: missing unit in duration "5.5"'],
    ['1s5', 'time: missing unit in duration "1s5"'],
    ['5x', 'time: unknown unit "x" in duration "5x"'],
    ['5 s', 'time: unknown unit " s" in duration "5 s"'],
    ['5S', 'time: unknown unit "S" in duration "5S"'],
    ['5toString', 'time: unknown unit "toString" in duration "5toString"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['9999999h', 'time: invalid duration "9999999h"']
  ]
  for (const [text, expected] of table) {
    const read = parseGoDuration(text)
    if (typeof expected === 'string') t.equal(read, expected, text)
    else t.ok(typeof read === 'number' && Math.abs(read - expected) < 1e-9, `${text}: ${read}`)
  }
})

t.test('a decimal is exact to the nanosecond', async t => {
  for (const [text, ms] of [
    ['1.001s', 1001],
    ['-1.001s', -1001],
    ['1.1h', 3_960_000],
    ['4.35h', 15_660_000]
  ] as const)
    t.equal(parseGoDuration(text), ms, text)
})

t.test('durations as Go prints them', async t => {
  const table: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [0.00001, '10ns'],
    [0.0015, '1.5µs'],
    [400, '400ms'],
    [673.25, '673.25ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [90_500, '1m30.5s'],
    [3_600_000, '1h0m0s'],
    [5_430_000, '1h30m30s'],
    [-5000, '-5s']
  ]
  for (const [ms, text] of table) t.equal(formatGoDuration(ms), text)
})
