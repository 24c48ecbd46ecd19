import t from 'tap'
import type {KeyWriter} from '../../storage/key-writer.ts'
import {WriteBehind} from '../../storage/write-behind.ts'

t.test('what a flood has left is written after a failure, and told', async t => {
  const warnings: string[] = []
  const behind = new WriteBehind(text => warnings.push(text))
  let isFull = true
  let hasRest = true
  const writer = {
    write: () => new Map(),
    get hasRest() {
      return hasRest
    },
    writeRest: () => {
      if (isFull) throw new Error('the disk is full')
      hasRest = false
    },
    close: () => undefined
  }
  behind.open(writer as unknown as KeyWriter)
  t.equal(behind.journal.save(), false)
  isFull = false
  t.equal(behind.journal.save(), true)
  t.equal(hasRest, false)
  t.same(warnings, [
    'the keys of Redis cannot be written: the disk is full; they are kept in memory until that works',
    'the keys of Redis are written again'
  ])
  behind.close()
})
