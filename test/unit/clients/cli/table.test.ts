import t from 'tap'
import {age, created} from '../../../../src/model/duration.ts'
import {fittingTable, tableOf} from '../../../../src/clients/cli/table.ts'

t.test('cells are padded to the widest, and a blank column is left out', async t => {
  t.equal(
    tableOf([
      ['APP ID', ['a', 'checkout']],
      ['RUN TEMPLATE PATH', ['', '']],
      ['APP PORT', ['0', '7001']]
    ]),
    'APP ID    APP PORT  \na         0         \ncheckout  7001      \n'
  )
})

t.test('in a narrow table the main columns stay', async t => {
  const columns = [
    {head: 'CALL', cells: ['17'], isMain: true},
    {head: 'TIME', cells: ['20:44:38.392']},
    {head: 'STATUS', cells: ['502'], isMain: true},
    {head: 'NOTE', cells: ['refused']}
  ]
  t.equal(fittingTable(columns, 40), 'CALL  TIME          STATUS  NOTE\n17    20:44:38.392  502     refused\n')
  t.equal(fittingTable(columns, 26), 'CALL  TIME          STATUS\n17    20:44:38.392  502\n')
  t.equal(fittingTable(columns, 20), 'CALL  STATUS\n17    502\n')
})

t.test('a table may have more rows than a function has arguments', async t => {
  const rows = Array.from({length: 200_000}, () => 'a')
  t.equal(tableOf([['ID', rows]]).length, (rows.length + 1) * 'ID  \n'.length)
})

t.test('an age is told in its largest unit', async t => {
  for (const [seconds, text] of [
    [0, '0s'],
    [60, '60s'],
    [61, '1m'],
    [3600, '60m'],
    [3601, '1h'],
    [86_400, '24h'],
    [172_801, '2d']
  ] as const)
    t.equal(age(seconds * 1000), text)
})

t.test('the time of creation has a dot before its seconds', async t => {
  t.equal(created(new Date(2026, 6, 3, 9, 5, 7)), '2026-07-03 09:05.07')
})
