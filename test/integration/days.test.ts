import t from 'tap'
import {days} from '../rig/days.ts'
import {limitAlone} from '../rig/limit.ts'

await limitAlone()

// `npm run days` takes other seeds, as `test/long/days.test.ts` does, and the same with real processes
t.test('what people do in any order goes as the manual says: a day', async t => {
  const {code, printed} = await days('--seed', '1', '--seeds', '1', '--steps', '60')
  t.equal(code, 0, printed)
  t.match(printed, /as it must be/)
})

t.test('the same where half of the servers start with their first call, and sleep when idle: a day', async t => {
  const {code, printed} = await days('--lazy', '--seed', '1', '--seeds', '1', '--steps', '60')
  t.equal(code, 0, printed)
  t.match(printed, /as it must be/)
})
