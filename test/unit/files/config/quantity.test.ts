import t from 'tap'
import {quantityBytes} from '../../../../src/files/config/quantity.ts'

t.test('a quantity is read as Kubernetes reads it, and rounded up to whole bytes', async t => {
  const table: readonly (readonly [string, number])[] = [
    ['4Mi', 4_194_304],
    ['4M', 4_000_000],
    ['4Ki', 4096],
    ['4k', 4000],
    ['1e3', 1000],
    ['1E3', 1000],
    ['2e-1', 1],
    ['1.5Gi', 1_610_612_736],
    ['1500m', 2],
    ['65536', 65_536],
    ['.5k', 500],
    ['5.', 5],
    ['1E', 1e18],
    ['0', 0],
    ['0e999', 0],
    ['9e999', 2 ** 63],
    ['-1', -1],
    ['-4Mi', -4_194_304],
    ['+3', 3]
  ]
  for (const [text, bytes] of table) t.equal(quantityBytes(text), bytes, text)
})

t.test('what is no quantity is refused in the words of Kubernetes', async t => {
  const form = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  for (const text of ['4MB', 'big', '', '1.2.3', '4 Mi']) t.equal(quantityBytes(text), form, text)
  for (const text of ['4Mm', '4iM', '4ee3']) t.equal(quantityBytes(text), "unable to parse quantity's suffix", text)
})
