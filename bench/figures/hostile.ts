import {RedisEngine} from '../../src/packages/redis/engine/engine.ts'
import {ATTACKS, type Attack} from '../../test/rig/attacks.ts'
import {meanwhile, oddApp} from '../../test/rig/bad-input.ts'
import {watchMemory} from '../../test/long/flooding.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {paced, type Paced} from '../paced.ts'
import {echoServer, freePorts, withRig} from '../tools.ts'

const CALLS_A_SECOND = 200

interface Suffered {
  /** The same calls just before. */
  readonly calm: Paced
  readonly calls: Paced
  /** More memory of its own than before, at most, in MB. */
  readonly more: number
}

/** Calls between two apps while somebody attacks the sidecar of a third one; and what one command of the built-in Redis may take. */
export const hostile: Figure = {
  name: 'hostile',
  needs: ['go'],
  measure: async ({rounds: wanted, seconds}) => {
    const count = Math.min(wanted, 3)
    const results = await inRounds(count, async () =>
      inRounds(ATTACKS.length, async n => suffered(ATTACKS[n] as Attack, seconds))
    )
    const redis = await inRounds(count, async () => Promise.resolve(slowestCommand()))
    return [
      ...ATTACKS.flatMap(({name}, n) =>
        (['p99', 'longest', 'memory'] as const).map((what): Measure => {
          const rounds = results.map(round => round[n])
          return {
            name: `hostile: ${what}, ${name}`,
            unit: what === 'memory' ? 'MB' : 'ms',
            ours: rounds.map(round => numberOf(what, round)),
            ...(what === 'memory'
              ? {peer: [], peerName: ''}
              : {peer: rounds.map(round => numberOf(`calm ${what}`, round)), peerName: 'no attack'})
          }
        })
      ),
      {name: 'hostile: one command of Redis', unit: 'ms', ours: redis, peer: [], peerName: ''}
    ]
  }
}

type Column = 'memory' | `${'' | 'calm '}${'p99' | 'longest'}`

function numberOf(what: Column, told: Suffered | undefined): number {
  if (told === undefined) return Number.NaN
  if (what === 'memory') return told.more
  const calls = what.startsWith('calm') ? told.calm : told.calls
  return calls[what.endsWith('p99') ? 'p99' : 'max'] / 1000
}

/** Throws where a good call failed, or was not answered as it must be. */
async function suffered({apps, begin}: Attack, seconds: number): Promise<Suffered> {
  return withRig(async rig => {
    const [appPort = 0] = await freePorts(1)
    const good = {appID: 'good', appPort, command: [await echoServer()]}
    await rig.template([oddApp('odd'), good, oddApp('shop'), oddApp('other'), ...apps])
    const program = rig.pillion(['run', '-f', '.'])
    const [{http: port}, {http: other}] = [await program.ports('shop'), await program.ports('other')]
    const url = `http://127.0.0.1:${other}/v1.0/invoke/good/method/plain`
    await paced(url, CALLS_A_SECOND, 1) // warm
    const calm = await paced(url, CALLS_A_SECOND, seconds)
    const memory = watchMemory(program.pid)
    const under = await begin(port, rig, program)
    const calls = await meanwhile(under, async () => paced(url, CALLS_A_SECOND, seconds))
    const sizes = memory()
    await under.end()
    program.signal('SIGTERM')
    await program.exited
    return {calm, calls, more: Math.max(...sizes) - (sizes[0] ?? Number.NaN)}
  })
}

const NAME = 'k'.repeat(200_000)
const MANY = 100_000

/** Commands that go through a lot: patterns that are made to take long, and large values. */
const COMMANDS: readonly (readonly string[])[] = [
  ['KEYS', `[${'a'.repeat(100_000)}`],
  ['KEYS', `${'*k'.repeat(50)}x`],
  ['SCAN', '0', 'MATCH', `[${'a'.repeat(100_000)}`, 'COUNT', '1000000'],
  ['HSCAN', 'hash', '0', 'MATCH', `${'*f'.repeat(50)}x`, 'COUNT', '1000000'],
  ['KEYS', '*'],
  ['SORT', 'list', 'ALPHA'],
  ['LRANGE', 'list', '0', '-1'],
  ['HGETALL', 'hash'],
  ['SMEMBERS', 'set'],
  ['SUNION', 'set', 'set'],
  ['ZRANGE', 'scores', '0', '-1', 'WITHSCORES'],
  ['DEL', 'list', 'hash', 'set', 'scores']
]

/** The most processor time of one command, in ms: so long it keeps all others waiting. */
function slowestCommand(): number {
  const engine = new RedisEngine()
  const session = engine.open()
  engine.run(session, ['SET', NAME, 'x'])
  for (let n = 0; n < MANY; n++) {
    const value = `f${n}`
    engine.run(session, ['SET', `key${n}`, value])
    engine.run(session, ['RPUSH', 'list', value])
    engine.run(session, ['HSET', 'hash', value, value])
    engine.run(session, ['SADD', 'set', value])
    engine.run(session, ['ZADD', 'scores', n.toString(), value])
  }
  const times = COMMANDS.map(command => {
    const before = process.cpuUsage()
    engine.run(session, command)
    const {user, system} = process.cpuUsage(before)
    return (user + system) / 1000
  })
  engine.close()
  return Math.max(...times)
}
