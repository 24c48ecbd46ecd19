import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'

const {ACTORS = '100000'} = process.env
const MANY = join(import.meta.dirname, '../fixtures/many-actors.ts')

interface Round {
  readonly active: number
  readonly gone: number
  readonly activeBytes: number
  readonly goneBytes: number
}

t.setTimeout(600_000)

t.test('100,000 ids: what each takes is bounded, and given back when they are let go', async t => {
  const {stdout} = await promisify(execFile)(process.execPath, ['--expose-gc', MANY, ACTORS])
  const rounds = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Round)
  t.equal(rounds.length, 2)
  for (const [at, {active, gone, activeBytes, goneBytes}] of rounds.entries()) {
    t.comment(`${activeBytes.toFixed(0)} bytes for each active actor, ${goneBytes.toFixed(1)} once they are let go`)
    t.strictSame([active, gone], [Number(ACTORS), (at + 1) * Number(ACTORS)])
    t.ok(activeBytes < 300, `${activeBytes} bytes for each that is active`)
    t.ok(goneBytes < 30, `${goneBytes} bytes for each that was let go`)
  }
})
