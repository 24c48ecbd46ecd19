import t from 'tap'
import {moment} from '../../../page/parts/format.ts'

t.test('a time of another day has its date', t => {
  const today = new Date()
  const [other, name] = today.getMonth() === 0 ? [1, 'Feb'] : [0, 'Jan']
  t.equal(moment(new Date(today.getFullYear(), today.getMonth(), today.getDate(), 9, 5).getTime()), '09:05:00.000')
  t.equal(moment(new Date(today.getFullYear(), other, 15, 9, 5).toISOString()), `15 ${name} 09:05`)
  t.equal(moment(new Date(2020, 1, 1, 9).toISOString()), '2020-02-01')
  t.end()
})
