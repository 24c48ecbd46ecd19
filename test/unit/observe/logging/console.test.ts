import t from 'tap'
import {Console, type ConsoleWriter} from '../../../../src/observe/logging/console.ts'
import {prefixed} from '../../../../src/model/text-lines.ts'

/** A console whose reader and clock the test moves. */
function rig() {
  let shown = ''
  let room: PromiseWithResolvers<void> | undefined
  let alarm: {ms: number; task: () => void} | undefined
  const output = {
    write(text: string): Promise<void> | undefined {
      shown += text
      return room?.promise
    },
    get midLine() {
      return shown !== '' && !shown.endsWith('\n')
    }
  }
  const after = (ms: number, task: () => void) => {
    alarm = {ms, task}
    return () => {
      alarm = undefined
    }
  }
  const console = new Console(output, after)
  return {
    write: (writer: ConsoleWriter, text: string) => console.write({writer, text: prefixed(text, writer.prefix)}),
    shown: () => Buffer.from(shown, 'latin1').toString('utf8'),
    clear: () => {
      shown = ''
    },
    /** Somebody else writes to the same stream. */
    print: (text: string) => {
      shown += output.midLine ? `\n${text}` : text
    },
    readerStops: () => {
      room = Promise.withResolvers<void>()
    },
    readerReads: async () => {
      room?.resolve()
      room = undefined
      await new Promise(setImmediate)
    },
    timeoutMs: () => alarm?.ms,
    patienceEnds: () => alarm?.task()
  }
}

const kept = (prefix: string): ConsoleWriter => ({prefix, whenStuck: () => 'kept'})
const waits = (prefix: string): ConsoleWriter => ({prefix, whenStuck: () => 'wait'})

/** Whether a promise has settled by the next turn of the loop. */
async function hasSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = false
  void promise?.then(() => (settled = true))
  await new Promise(setImmediate)
  return settled
}

t.test('with a reader that reads nobody waits, and the lines come as they were written', async t => {
  const {write, shown} = rig()
  const a = kept('A: ')
  t.equal(write(a, 'one\ntwo\n'), undefined)
  t.equal(write(waits('B: '), 'three\n'), undefined)
  t.equal(write(a, ''), undefined)
  t.equal(shown(), 'A: one\nA: two\nB: three\n')
})

t.test('an open line is cut for another app and for what others print, and goes on behind its prefix', async t => {
  const {write, print, shown} = rig()
  const a = kept('A: ')
  write(a, 'lo')
  write(a, 'o')
  write(kept('B: '), 'b\n')
  write(a, 'oo')
  print('ours\n')
  write(a, 'ng\n')
  t.equal(shown(), 'A: loo\nB: b\nA: oo\nours\nA: ng\n')
})

t.test('two streams with the same prefix are two writers', async t => {
  const {write, shown} = rig()
  write(kept('A: '), 'out')
  write(kept('A: '), 'err\n')
  t.equal(shown(), 'A: out\nA: err\n')
})

t.test('a slow reader makes everyone wait until it reads', async t => {
  const {write, readerStops, readerReads, timeoutMs, shown} = rig()
  readerStops()
  const waiting = [write(kept('A: '), 'a\n'), write(waits('B: '), 'b\n')]
  t.equal(timeoutMs(), 5000)
  for (const promise of waiting) t.notOk(await hasSettled(promise))
  await readerReads()
  for (const promise of waiting) t.ok(await hasSettled(promise))
  t.equal(timeoutMs(), undefined, 'the clock is called off')
  t.equal(write(kept('C: '), 'c\n'), undefined)
  t.equal(shown(), 'A: a\nB: b\nC: c\n', 'nothing was dropped')
})

t.test('a stuck reader: who has a file goes on, loses lines, who has none waits, and the count is exact', async t => {
  const {write, readerStops, readerReads, patienceEnds, shown, clear} = rig()
  const a = kept('A: ')
  const b = waits('B: ')
  readerStops()
  const [waitA, waitB] = [write(a, 'a\n'), write(b, 'b\n')]
  patienceEnds()
  t.ok(await hasSettled(waitA))
  t.notOk(await hasSettled(waitB))
  clear()
  t.equal(write(a, '1\n2\n3\n'), undefined)
  t.equal(write(a, '4\n'), undefined)
  t.equal(write(kept('C: '), '\n'), undefined)
  t.notOk(await hasSettled(write(b, 'more\n')))
  t.equal(shown(), 'B: more\n')
  await readerReads()
  t.ok(await hasSettled(waitB))
  t.equal(shown(), 'B: more\n… 5 lines dropped from the console, they are in the log files\n')
  clear()
  write(a, 'again\n')
  t.equal(shown(), 'A: again\n', 'and it goes on')
})

t.test('a line that comes in pieces counts once, whatever part of it is dropped', async t => {
  const {write, readerStops, readerReads, patienceEnds, shown, clear} = rig()
  const a = kept('A: ')
  readerStops()
  write(a, 'shown, ')
  patienceEnds()
  for (const text of ['then ', 'dropped', '\n', 'another ', 'and one\nnew ']) write(a, text)
  clear()
  await readerReads()
  t.equal(shown(), '… 3 lines dropped from the console, they are in the log files\n')
  write(a, 'end\n')
  readerStops()
  write(a, 'shown\n')
  patienceEnds()
  write(a, 'x\n')
  clear()
  await readerReads()
  t.equal(shown(), '… 1 lines dropped from the console, they are in the log files\n', 'each count starts anew')
})

t.test('a line of which the rest is dropped again is not counted a second time', async t => {
  const {write, readerStops, readerReads, patienceEnds, shown, clear} = rig()
  const a = kept('A: ')
  const b = kept('B: ')
  readerStops()
  write(b, 'b\n')
  patienceEnds()
  write(a, 'lo')
  await readerReads()
  write(a, 'o')
  readerStops()
  write(b, 'b\n')
  patienceEnds()
  write(a, 'ng\n')
  write(b, 'x\n')
  clear()
  await readerReads()
  t.equal(shown(), '… 1 lines dropped from the console, they are in the log files\n')
})

t.test('the count stands on a line of its own when the reader stopped within a line', async t => {
  const {write, readerStops, readerReads, patienceEnds, shown} = rig()
  const a = kept('A: ')
  readerStops()
  write(a, 'cut')
  patienceEnds()
  write(a, ' off\n')
  await readerReads()
  t.equal(shown(), 'A: cut\n… 1 lines dropped from the console, they are in the log files\n')
})

t.test('lines that no file has are not said to be in one', async t => {
  const {write, readerStops, readerReads, patienceEnds, shown, clear} = rig()
  const lost: ConsoleWriter = {prefix: '', whenStuck: () => 'lost'}
  readerStops()
  write(lost, 'x\n')
  patienceEnds()
  write(lost, 'y\n')
  clear()
  await readerReads()
  t.equal(shown(), '… 1 lines dropped from the console\n')
})

t.test('an app whose file fails meanwhile waits like one without a file', async t => {
  const {write, readerStops, patienceEnds, shown, clear} = rig()
  let fate: 'kept' | 'wait' = 'kept'
  const a: ConsoleWriter = {prefix: 'A: ', whenStuck: () => fate}
  readerStops()
  write(a, 'a\n')
  patienceEnds()
  clear()
  fate = 'wait'
  t.notOk(await hasSettled(write(a, 'b\n')))
  t.equal(shown(), 'A: b\n')
})
