import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {WakeUps} from '../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {SetClock, TestClock} from '../../rig/clock.ts'

const NOTHING = new Uint8Array(0)
const wakeUp = (due: number, name: string, owner = 1): Parameters<WakeUps['add']>[1] => ({
  due,
  name,
  owner,
  data: NOTHING
})

const folderFor = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'work-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  return folder
}

const open = async (path?: string): Promise<{file: WorkFile; said: string[]}> => {
  const said: string[] = []
  return {file: await WorkFile.open(path, text => said.push(text)), said}
}

/** Wake-ups in memory, which close with the test. */
async function opened(t: Test): Promise<{file: WorkFile; clock: TestClock; wakeUps: WakeUps; said: string[]}> {
  const {file, said} = await open()
  const clock = new TestClock()
  const wakeUps = new WakeUps(file, clock)
  t.teardown(() => {
    wakeUps.close()
    file.close()
  })
  return {file, clock, wakeUps, said}
}

t.test('wake-ups fire in order, never early, and once', async t => {
  const {file, clock, wakeUps} = await opened(t)
  const fired: string[] = []
  wakeUps.serve('bell', ({name}) => fired.push(`${name} ${clock.date()}`))
  const now = clock.date()
  await file.change(() => {
    wakeUps.add('bell', wakeUp(now + 300, 'late'))
    wakeUps.add('bell', wakeUp(now + 100, 'early'))
    wakeUps.add('bell', wakeUp(now + 100, 'next'))
  })
  clock.pass(99)
  await file.change(() => undefined)
  t.strictSame(fired, [])
  clock.pass(1)
  await file.change(() => undefined)
  t.strictSame(fired, [`early ${now + 100}`, `next ${now + 100}`])
  clock.pass(500)
  await file.change(() => undefined)
  t.equal(fired.length, 3)
})

t.test('many that are due at once leave others their turn: some fire in each transaction', async t => {
  const {file, clock, wakeUps} = await opened(t)
  const fired: string[] = []
  const steps: number[] = []
  wakeUps.serve('bell', ({name}) => fired.push(name))
  file.onCommit(() => void steps.push(fired.length))
  const now = clock.date()
  await file.change(() => {
    for (let each = 0; each < 500; each++) wakeUps.add('bell', wakeUp(now + 100, `${each}`))
  })
  for (clock.pass(100); fired.length < 500; clock.pass(0)) await new Promise(setImmediate)
  await file.settled()
  t.equal(steps.at(-1), 500)
  t.ok(
    steps.every((count, at) => count - (steps[at - 1] ?? 0) <= 100),
    steps.join()
  )
})

t.test('what nobody serves is kept, and holds up nothing', async t => {
  const {file, clock, wakeUps} = await opened(t)
  const fired: string[] = []
  const fire = ({name}: {readonly name: string}): unknown => fired.push(name)
  wakeUps.serve('bell', fire)
  await file.change(() => {
    wakeUps.add('gong', wakeUp(clock.date() + 1, 'later'))
    wakeUps.add('bell', wakeUp(clock.date() + 5, 'now'))
  })
  clock.pass(60_000)
  await file.change(() => undefined)
  t.strictSame(fired, ['now'])
  wakeUps.serve('gong', fire)
  clock.pass(0)
  await file.change(() => undefined)
  t.strictSame(fired, ['now', 'later'])
})

t.test('a change that is undone leaves the others armed', async t => {
  const {file, clock, wakeUps} = await opened(t)
  const fired: string[] = []
  wakeUps.serve('bell', ({name}) => fired.push(name))
  await file.change(() => wakeUps.add('bell', wakeUp(clock.date() + 100, 'kept')))
  await t.rejects(
    file.change(() => {
      wakeUps.add('bell', wakeUp(clock.date() + 50, 'undone'))
      throw new Error('no')
    })
  )
  clock.pass(100)
  await file.change(() => undefined)
  t.strictSame(fired, ['kept'])
})

t.test('what cannot be done when it is due is tried again, once at a time', async t => {
  const {file, clock, wakeUps} = await opened(t)
  let tries = 0
  wakeUps.serve('bell', () => {
    if (++tries < 3) throw new Error('not yet')
  })
  await file.change(() => wakeUps.add('bell', wakeUp(clock.date() + 100, 'kept')))
  for (const [ms, expected] of [
    [100, 1],
    [9999, 1],
    [1, 2],
    [10_000, 3],
    [60_000, 3]
  ] as const) {
    clock.pass(ms)
    await new Promise(resolve => setImmediate(resolve))
    t.equal(tries, expected)
  }
})

t.test('those of an owner go together', async t => {
  const {file, clock, wakeUps} = await opened(t)
  const fired: string[] = []
  wakeUps.serve('bell', ({name, owner}) => fired.push(`${owner} ${name}`))
  const due = clock.date() + 10
  await file.change(() => {
    for (const owner of [1, 2, 2]) wakeUps.add('bell', wakeUp(due, 'a', owner))
    wakeUps.removeOf('bell', 1)
  })
  clock.pass(10)
  await file.change(() => undefined)
  t.strictSame(fired, ['2 a', '2 a'])
})

t.test('what is committed is there after a restart, also what fell due meanwhile', async t => {
  const path = join(folderFor(t), 'work.db')
  const clock = new TestClock()
  const first = await open(path)
  const before = new WakeUps(first.file, clock)
  await first.file.change(() => before.add('bell', wakeUp(clock.date() + 10, 'kept')))
  before.close()
  first.file.close()
  clock.pass(1000)
  const {file, said} = await open(path)
  const wakeUps = new WakeUps(file, clock)
  const fired: string[] = []
  wakeUps.serve('bell', ({name}) => fired.push(name))
  clock.pass(0)
  await file.change(() => undefined)
  t.strictSame([fired, said], [['kept'], []])
  wakeUps.close()
  file.close()
})

t.test('a file that cannot be read is kept aside; one that is held is left alone', async t => {
  const folder = folderFor(t)
  const path = join(folder, 'work.db')
  writeFileSync(path, 'no database at all, but long enough to be looked at'.repeat(100))
  const {file, said} = await open(path)
  t.match(said, [
    /work\.db cannot be read: it is damaged\. It is kept as .*work\.db\.\d{8}T\d{6}Z?; a new file is begun/
  ])
  t.equal(readdirSync(folder).filter(name => name.startsWith('work.db.')).length, 1)
  const second = await open(path)
  t.match(second.said, [/(?:another program, holds|cannot be locked).* is kept in memory alone$/])
  second.file.close()
  file.database.exec('PRAGMA user_version = 99')
  file.close()
  const newer = await open(path)
  t.match(newer.said, [/newer version of Pillion/])
  newer.file.close()
})

t.test('a date that jumps: forwards it is found out within ten seconds, backwards nothing fires early', async t => {
  const {file} = await open()
  const clock = new SetClock()
  const wakeUps = new WakeUps(file, clock)
  const fired: string[] = []
  wakeUps.serve('bell', ({name}) => fired.push(name))
  await file.change(() => {
    wakeUps.add('bell', wakeUp(3_600_000, 'an hour'))
    wakeUps.add('bell', wakeUp(7_200_000, 'two hours'))
  })
  clock.set(3_600_000)
  clock.pass(10_000)
  await file.change(() => undefined)
  t.strictSame(fired, ['an hour'], 'the machine slept')
  clock.set(-3_600_000)
  clock.pass(3_600_000)
  await file.change(() => undefined)
  t.strictSame(fired, ['an hour'], 'set back: the other one waits for its date')
  clock.pass(3_600_000)
  await file.change(() => undefined)
  t.strictSame(fired, ['an hour', 'two hours'])
  wakeUps.close()
  file.close()
})

t.test('a wake-up that cannot be handled holds up no other, and one beyond all time none at all', async t => {
  const {file} = await open()
  const clock = new TestClock()
  const wakeUps = new WakeUps(file, clock)
  const fired: string[] = []
  wakeUps.serve('bell', ({name}) => {
    if (name === 'bad') throw new Error('no such row')
    fired.push(name)
  })
  await file.change(() => {
    wakeUps.add('bell', wakeUp(100, 'bad'))
    wakeUps.add('bell', wakeUp(100, 'good'))
    wakeUps.add('bell', wakeUp(1000, 'later'))
    wakeUps.add('bell', wakeUp(1e16, 'never'))
    wakeUps.add('bell', wakeUp(-1e16, 'first'))
  })
  clock.pass(0)
  await file.settled()
  clock.pass(100)
  await file.settled()
  t.strictSame(fired, ['first', 'good'])
  for (let passed = 0; passed < 9; passed++) {
    clock.pass(100)
    await file.settled()
  }
  t.strictSame(fired, ['first', 'good', 'later'], 'in time')
  wakeUps.close()
  const next = new WakeUps(file, clock)
  next.serve('bell', () => undefined)
  t.ok((next.firstIn() ?? 0) > 9000, 'it comes again, and a run that begins can read all')
  next.close()
  file.close()
})

t.test('a wake-up that cannot be handled holds up no skip', async t => {
  const {file, wakeUps} = await opened(t)
  wakeUps.serve('bell', ({name}) => {
    if (name === 'bad') throw new Error('no such row')
  })
  await file.change(() => {
    wakeUps.add('bell', wakeUp(100, 'bad'))
    wakeUps.add('bell', wakeUp(100, 'good'))
  })
  const fired = await wakeUps.skip(1000)
  t.strictSame(
    fired.map(({name}) => name),
    ['good']
  )
  t.equal(wakeUps.ahead, 1000)
  t.equal(wakeUps.firstIn(), 10_000, 'it comes again')
})
