/** Random commands of several clients, at the built-in Redis and at redis-server: each is answered the same, and the file keeps all. */
import {mkdtempSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {BuiltInRedis} from '../../../src/packages/redis/built-in-redis.ts'
import {realRedis} from '../../rig/redis.ts'
import {seeded} from '../../rig/seeded.ts'
import {anyKey, commandOf} from './grammar.ts'
import {Side, type Answer, type Answers} from './side.ts'

const CLIENTS = 3
/** The built-in one is closed and opened again after so many steps. */
const RESTART = 150
/** In so many steps one client is ended by another one, and a key by its time. */
const SELDOM = 60

type Step = readonly [client: number, args: readonly string[]]

/** Needs redis-server. */
export async function walkRedis({
  seed,
  steps: count
}: {
  readonly seed: number
  readonly steps: number
}): Promise<{readonly faults: readonly string[]; readonly steps: readonly string[]}> {
  const ends: (() => unknown)[] = []
  const {port} = await realRedis({teardown: end => ends.push(end)})
  const random = seeded(seed)
  const steps: Step[] = []
  const faults: string[] = []
  let isOver = false
  const folder = mkdtempSync('/tmp/days-redis-')
  const open = async (): Promise<BuiltInRedis> =>
    BuiltInRedis.open({port: 0, file: join(folder, 'redis.db'), warn: text => faults.push(text)})
  let ours = await open()
  let sides = [await Side.open(ours.port, CLIENTS), await Side.open(port, CLIENTS)] as const
  try {
    for (let at = 0; at < count && faults.length === 0 && !isOver; at++) {
      if (at % RESTART === RESTART - 1) {
        for (const side of sides) side.close()
        await ours.close()
        ours = await open()
        sides = [await Side.open(ours.port, CLIENTS), await Side.open(port, CLIENTS)]
        for (const database of ['0', '1']) for (const args of READ_ALL(database)) await compare(0, args)
        if (faults.length > 0) faults.push('after it was closed and opened again')
        await compare(0, ['SELECT', '0'])
        continue
      }
      const free = [0, 1, 2].filter(each => !sides[0].isWaiting(each))
      const client = free[random(free.length)]
      // one who waits for ever is let go
      if (client === undefined || (free.length === 1 && random(2) === 0)) {
        const waiting = [0, 1, 2].find(each => sides[0].isWaiting(each)) ?? 0
        await unblock(waiting)
        continue
      }
      const chance = random(SELDOM)
      if (chance === 0) await end(random(CLIENTS))
      else if (chance === 1) await expire(anyKey(random))
      else {
        const args = commandOf(random)
        // what a transaction answers that changes the protocol is all in the last one
        if (args[0] === 'HELLO') await compare(client, ['DISCARD'])
        await compare(client, args)
      }
    }
  } finally {
    for (const side of sides) side.close()
    await ours.close()
    rmSync(folder, {recursive: true, force: true})
    for (const end of ends) await end()
  }
  return {
    faults,
    steps: steps.map(([client, args]) => `${client}> ${args.map(each => JSON.stringify(each)).join(' ')}`)
  }

  async function end(client: number): Promise<void> {
    await compare(client, ['CLIENT', 'KILL'], async side => side.kill(client))
  }

  async function expire(key: string): Promise<void> {
    await compare(0, ['PEXPIRE', key, '20'], async side => side.expire(key))
  }

  async function compare(
    client: number,
    args: readonly string[],
    work = async (side: Side): Promise<Answers> => side.run(client, args)
  ): Promise<void> {
    steps.push([client, args])
    const [mine = {}, real = {}] = await Promise.all(sides.map(work))
    // a reader that waits behind deleted entries is answered with none by redis-server, and hears of XGROUP SETID only here
    const waited = Object.entries({...mine, ...real}).filter(([name]) => name.startsWith('client '))
    isOver = waited.some(([, answer]) => args[1] === 'SETID' || /\["\w+",\[\]\]/.test(JSON.stringify(answer)))
    const [a, b] = [mine, real].map(each => JSON.stringify(plain(each, args)))
    if (a === b || isOver) return
    faults.push(`${args.map(each => JSON.stringify(each)).join(' ')}\n  built-in: ${a}\n  redis-server: ${b}`)
  }

  async function unblock(waiting: number): Promise<void> {
    const all = await Promise.all(
      sides.map(async side => {
        await side.call('CLIENT', 'UNBLOCK', side.clients[waiting]?.id ?? '')
        return side.run(waiting, ['PING'])
      })
    )
    const [a, b] = all.map(each => JSON.stringify(each))
    if (a !== b) faults.push(`unblock: ${a} ${b}`)
  }
}

const READ_ALL = (database: string): readonly (readonly string[])[] => [
  ['SELECT', database],
  ['DBSIZE'],
  ...['0', '1'].flatMap(n => [
    ['GET', `string${n}`],
    ['HGETALL', `hash${n}`],
    ['LRANGE', `list${n}`, '0', '-1'],
    ['SMEMBERS', `set${n}`],
    ['ZRANGE', `zset${n}`, '0', '-1', 'WITHSCORES'],
    ['XINFO', 'STREAM', `stream${n}`, 'FULL', 'COUNT', '0'],
    ['XINFO', 'GROUPS', `stream${n}`],
    ...['string', 'hash', 'list', 'set', 'zset', 'stream'].map(kind => ['TTL', kind + n])
  ])
]

/** In no order: what is compared is sorted. */
const UNORDERED = new Set('hkeys hvals hrandfield smembers spop srandmember sunion sinter sdiff keys pubsub'.split(' '))
/** Differ by the time that has passed, by how Redis stores it, or between its versions. */
const TIMES = new Set(['id', 'idle', 'inactive', 'seen-time', 'radix-tree-keys', 'radix-tree-nodes'])

function plain(answers: Answers, args: readonly string[]): unknown {
  const name = (args[0] ?? '').toLowerCase()
  return Object.entries(answers).map(([what, answer]) => {
    if (what === 'events')
      return (answer as readonly string[]).filter(each => !/expired|xgroup-createconsumer/.test(each))
    return [what, what === 'answer' ? plainAnswer(name, answer, args) : plainText(answer)]
  })
}

/** Words of errors are compared by transcripts. */
function plainText(answer: Answer): Answer {
  if (typeof answer !== 'string') return answer
  return answer.startsWith('-') ? 'an error' : answer
}

function plainAnswer(name: string, answer: Answer, args: readonly string[]): unknown {
  if (typeof answer === 'string') return /ttl|time/.test(name) && answer.length > 3 ? 'later' : plainText(answer)
  if (name === 'exec') return answer.map(each => (isTime(each) ? 'later' : deepSorted(each)))
  if (name === 'scan' || name === 'sscan') return sorted(answer.flat())
  if (name === 'hscan' || name === 'zscan') return sortedPairs((answer[1] ?? []) as readonly Answer[])
  if (name === 'hgetall') return sortedPairs(answer)
  if (name === 'hrandfield' && args.length === 4) return sortedPairs(answer.flat())
  if (UNORDERED.has(name)) return sorted(answer)
  if (name === 'xinfo' || name === 'hello') return withoutTimes(answer)
  if (name === 'xpending' && args.length > 3)
    return answer.map(each => (Array.isArray(each) ? each.with(2, 'idle') : each))
  return answer
}

const isTime = (answer: Answer): boolean => typeof answer === 'string' && /^:\d{3,}$/.test(answer)

const sorted = (all: readonly Answer[]): readonly string[] => all.map(each => JSON.stringify(each)).toSorted()
const sortedPairs = (all: readonly Answer[]): readonly string[] => {
  const from = all[0] === '%' || all[0] === '~' ? 1 : 0
  return Array.from({length: (all.length - from) / 2}, (_, at) =>
    JSON.stringify(all.slice(from + 2 * at, from + 2 * at + 2))
  ).toSorted()
}

/** Which command in a transaction an answer is of cannot be seen: all are sorted. */
const deepSorted = (answer: Answer): string =>
  typeof answer === 'string'
    ? String(isTime(answer) ? 'later' : plainText(answer))
    : JSON.stringify(
        withoutTimes(answer)
          .map(each => deepSorted(each))
          .toSorted()
      )

function withoutTimes(answer: readonly Answer[]): readonly Answer[] {
  return answer.map((each, at) => {
    if (typeof each !== 'string') {
      const inner = withoutTimes(each)
      // a pending entry has a time behind its id
      return /^\d+-\d+$/.test(String(each[0])) && each.length >= 3
        ? inner.map(part => (typeof part === 'string' && /^:\d{9,}$/.test(part) ? 'time' : part))
        : inner
    }
    return TIMES.has(String(answer[at - 1])) ? 'some' : each
  })
}
