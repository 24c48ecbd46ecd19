import t from 'tap'
import {seeded} from '../../../../test/rig/seeded.ts'
import {RedisEngine} from '../engine/engine.ts'
import {Blocked} from '../engine/result.ts'
import {encodeResult} from '../protocol/writer.ts'

/** What commands are given in any order. */
const WORDS = [
  ...`k s h l z x 0 1 -1 5 1.5 inf -inf nan 9223372036854775807 (1 [a * $ > - + 1-1 0-0 1-* 18446744073709551615 g c EX PX NX XX
    GT GET COUNT MATCH BLOCK STREAMS GROUP MAXLEN ~ MINID LIMIT WITHSCORES BYSCORE BYLEX REV CREATE MKSTREAM DESTROY SETID STREAM
    GROUPS FULL JUSTID FORCE IDLE LEFT RIGHT SET LIST LOAD __proto__ constructor`.split(/\s+/),
  '',
  '\0\xff',
  'x'.repeat(300)
]

t.test('no arguments make a command throw: what is wrong is an answer', async t => {
  const engine = new RedisEngine()
  const names = engine.run(engine.open(), ['COMMAND', 'LIST']) as readonly string[]
  t.ok(names.length > 150)
  const random = seeded(Number(process.env['SEED'] ?? 1))
  let session = engine.open()
  for (let step = 0; step < 100_000; step++) {
    const name = names[random(names.length)] ?? ''
    const args = [name, ...Array.from({length: random(8)}, () => WORDS[random(WORDS.length)] ?? '')]
    try {
      const result = engine.run(session, args)
      if (result instanceof Blocked) engine.wait(session, result, () => {})
      else encodeResult(result, session.protocol)
    } catch (error) {
      t.fail(`${JSON.stringify(args)}: ${String(error)}`)
      break
    }
    if (step % 50 !== 49) continue
    engine.end(session)
    session = engine.open()
  }
  engine.close()
})

t.test('an unknown subcommand of XGROUP is refused, whatever it is called', async t => {
  const engine = new RedisEngine()
  const session = engine.open()
  engine.run(session, ['XGROUP', 'CREATE', 's', 'g', '5', 'MKSTREAM'])
  t.match(engine.run(session, ['XGROUP', 'constructor', 's', 'g', '0']), {message: /unknown subcommand/})
})
