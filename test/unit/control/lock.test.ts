import {lutimesSync, readdirSync, readlinkSync, rmSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {setImmediate as turn, setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {whileLocked} from '../../../src/control/lock.ts'

/** Leaves the lock as a process does that is killed while it holds it. */
async function killedIn(folder: string): Promise<string> {
  const lock = join(folder, 'lock')
  await whileLocked(lock, async () => {
    const held = JSON.parse(readlinkSync(lock)) as {readonly started: number}
    symlinkSync(JSON.stringify({...held, started: held.started - 1000, id: 'killed'}), join(folder, 'left'))
    return Promise.resolve()
  })
  return readlinkSync(join(folder, 'left'))
}

t.test('of many that wait for the lock of a killed process one at a time has it', async t => {
  const folder = t.testdir({})
  const lock = join(folder, 'lock')
  symlinkSync(await killedIn(folder), lock)
  let inside = 0
  const most: number[] = []
  await Promise.all(
    Array.from({length: 20}, async () =>
      whileLocked(lock, async () => {
        most.push(++inside)
        await turn()
        inside--
      })
    )
  )
  t.strictSame(
    most,
    Array.from({length: 20}, () => 1)
  )
  t.strictSame(readdirSync(folder), ['left'], 'nothing else is left')
})

t.test('one that was killed while it took the lock over holds up no other', async t => {
  const folder = t.testdir({})
  const lock = join(folder, 'lock')
  const killed = await killedIn(folder)
  symlinkSync(killed, lock)
  symlinkSync(killed.replace('killed', 'killed-too'), `${lock}-killed`)
  t.equal(await whileLocked(lock, async () => Promise.resolve('done')), 'done')
  t.strictSame(readdirSync(folder), ['left'])
})

t.test('who ends leaves the lock of another one alone', async t => {
  const folder = t.testdir({})
  const lock = join(folder, 'lock')
  const killed = await killedIn(folder)
  await whileLocked(lock, async () => {
    rmSync(lock)
    symlinkSync(killed, lock)
    return Promise.resolve()
  })
  t.equal(readlinkSync(lock), killed)
})

t.test('one that is slow keeps it', async t => {
  const folder = t.testdir({})
  const lock = join(folder, 'lock')
  const order: string[] = []
  const waiting = whileLocked(lock, async () => {
    lutimesSync(lock, 1, 1)
    const other = whileLocked(lock, async () => Promise.resolve(order.push('other')))
    await pause(50)
    order.push('first')
    return {other}
  })
  await (
    await waiting
  ).other
  t.strictSame(order, ['first', 'other'])
})

t.test('a lock that cannot be made is a mistake of the user, which says where', async t => {
  const lock = join(t.testdir({}), 'gone/lock')
  await t.rejects(
    whileLocked(lock, async () => Promise.resolve()),
    {name: 'UserError', message: `the lock ${lock} cannot be made: ENOENT: no such file or directory`}
  )
})
