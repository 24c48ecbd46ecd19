import t from 'tap'
import {editDistance, nearMiss} from '../../../src/model/near-miss.ts'

t.test('the distance counts inserted, deleted, replaced and swapped letters', async t => {
  const table: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['order', 'order', 0],
    ['ordr', 'order', 1],
    ['orders', 'order', 1],
    ['orber', 'order', 1],
    ['odrer', 'order', 1],
    ['', 'abc', 3]
  ]
  for (const [a, b, distance] of table) t.equal(editDistance(a, b), distance, `${a} → ${b}`)
})

t.test('the nearest known word is suggested, and nothing if none is close', async t => {
  t.equal(nearMiss('comand', ['command', 'common']), 'command')
  t.equal(nearMiss('APPID', ['appID', 'appPort']), 'appID')
  t.equal(nearMiss('zebra', ['command', 'common']), '')
  t.equal(nearMiss('x', []), '')
})
