import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'
import {Blocked, Verbatim} from '../../engine/result.ts'

t.test('a client is listed with all that it is in: a subscription, a transaction, a wait', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const [session, other] = [engine.open(), engine.open()]
  const run = (command: string): unknown => engine.run(session, command.split(' '))
  const flags = (): string | undefined => {
    const list = engine.run(other, ['CLIENT', 'LIST'])
    return list instanceof Verbatim ? /^id=1 .* flags=(\w+) /m.exec(list.text)?.[1] : undefined
  }
  run('HELLO 3')
  t.equal(flags(), 'N')
  run('SUBSCRIBE news')
  t.equal(flags(), 'P')
  run('MULTI')
  t.equal(flags(), 'Px')
  run('DISCARD')
  const wait = run('BLPOP jobs 0')
  if (wait instanceof Blocked) engine.wait(session, wait, () => undefined)
  t.equal(flags(), 'Pb')
})
