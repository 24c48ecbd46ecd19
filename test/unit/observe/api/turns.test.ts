import t from 'tap'
import {Turns} from '../../../../src/observe/api/turns.ts'

/** Whether other work of the event loop was done before the next step. */
async function letsOthers(turns: Turns): Promise<boolean> {
  let wasDone = false
  setImmediate(() => (wasDone = true))
  await turns.next()
  return wasDone
}

t.test('work continues without a pause until its turn is over, then other work is done', async t => {
  let now = 0
  const turns = new Turns(
    () => 0,
    () => now
  )
  t.notOk(await letsOthers(turns))
  now += 100
  t.ok(turns.isOver)
  t.ok(await letsOthers(turns))
  t.notOk(turns.isOver)
})

t.test('turns are shorter while calls are served', async t => {
  let now = 0
  let calls = 0
  const turns = new Turns(
    () => calls,
    () => now
  )
  /** How long the turn after this one lasts. */
  const nextTurn = async (): Promise<number> => {
    now += 100
    await turns.next()
    const start = now
    while (!turns.isOver) now += 0.1
    return now - start
  }
  const idle = await nextTurn()
  calls++
  const busy = await nextTurn()
  t.ok(busy > 0 && busy < idle, `${busy} ms, ${idle} ms`)
  t.equal(Math.round(await nextTurn()), Math.round(idle))
})
