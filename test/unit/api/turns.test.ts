import t from 'tap'
import {Turns} from '../../../src/api/turns.ts'

/** Whether other work of the event loop was done before the next step. */
async function letsOthers(turns: Turns): Promise<boolean> {
  let wasDone = false
  setImmediate(() => (wasDone = true))
  await turns.next()
  return wasDone
}

t.test('long work goes on at once while its turn lasts, then others have theirs', async t => {
  let calls = 0
  const turns = new Turns(() => calls)
  for (const isBusy of [false, true, true, false]) {
    while (!turns.isOver);
    if (isBusy) calls++
    t.ok(await letsOthers(turns))
    t.notOk(turns.isOver)
  }
  const idle = new Turns(() => calls)
  while (!idle.isOver) t.notOk((await letsOthers(idle)) && !idle.isOver)
})
