/** Commands of Redis that nobody thought of: each is an array of words, made from random numbers. */
import {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from '../../../src/packages/redis/dapr-scripts.ts'
import type {Random} from '../../rig/seeded.ts'

type Words = readonly string[]

/**
 * What a rule says: `|` between choices, `[x]` for perhaps, `{x}` for once to three times, a name in capitals behind `$` for a word of WORDS;
 * all else is a word as it stands.
 */
const RULES: Readonly<Record<string, Words>> = {
  string: [
    'SET $S $V [NX|XX] [GET] [EX $T|PX $T|KEEPTTL]',
    'SET $S $V',
    'GET $S',
    'SETNX $S $V',
    'SETEX $S $T $V',
    'PSETEX $S 1000000 $V',
    'GETSET $S $V',
    'GETDEL $S',
    'GETEX $S [EX 1000|PX 1000000|PERSIST]',
    'MGET {$K}',
    'MSET {$S $V}',
    'MSETNX {$S $V}',
    'INCR|DECR $S',
    'INCRBY|DECRBY $S $I',
    'INCRBYFLOAT $S $F',
    'APPEND $S $V',
    'STRLEN $S',
    'GETRANGE $S $I $I',
    'SETRANGE $S $O $V'
  ],
  hash: [
    'HSET|HMSET $H {$M $V}',
    'HSETNX $H $M $V',
    'HGET $H $M',
    'HMGET $H {$M}',
    'HGETALL|HKEYS|HVALS|HLEN $H',
    'HDEL $H {$M}',
    'HEXISTS|HSTRLEN $H $M',
    'HINCRBY $H $M $I',
    'HINCRBYFLOAT $H $M $F',
    'HRANDFIELD $H 100 [WITHVALUES]',
    'HSCAN $H 0 [MATCH $P] [COUNT 100]'
  ],
  list: [
    'LPUSH|RPUSH|LPUSHX|RPUSHX $L {$M}',
    'LPOP|RPOP $L [$I]',
    'LLEN $L',
    'LRANGE $L $I $I',
    'LRANGE $L 0 -1',
    'LINDEX $L $I',
    'LSET $L $I $M',
    'LREM $L $I $M',
    'LTRIM $L $I $I',
    'LINSERT $L BEFORE|AFTER $M $M',
    'LPOS $L $M [RANK $I] [COUNT $I] [MAXLEN $I]',
    'RPOPLPUSH $L $L',
    'LMOVE $L $L LEFT|RIGHT LEFT|RIGHT',
    'BLPOP|BRPOP {$L} 0',
    'BRPOPLPUSH $L $L 0',
    'BLMOVE $L $L LEFT|RIGHT LEFT|RIGHT 0'
  ],
  set: [
    'SADD|SREM $E {$M}',
    'SADD $E {$M}',
    'SMEMBERS|SCARD $E',
    'SISMEMBER $E $M',
    'SMISMEMBER $E {$M}',
    'SPOP $E 100',
    'SRANDMEMBER $E 100',
    'SMOVE $E $E $M',
    'SUNION|SINTER|SDIFF {$E}',
    'SUNIONSTORE|SINTERSTORE|SDIFFSTORE $E {$E}',
    'SSCAN $E 0 [MATCH $P] [COUNT 100]'
  ],
  zset: [
    'ZADD $Z [NX|XX] [GT|LT] [CH] [INCR] {$N $M}',
    'ZADD $Z {$N $M}',
    'ZINCRBY $Z $N $M',
    'ZREM $Z {$M}',
    'ZSCORE|ZRANK|ZREVRANK $Z $M',
    'ZMSCORE $Z {$M}',
    'ZCARD $Z',
    'ZCOUNT $Z $B $B',
    'ZPOPMIN|ZPOPMAX $Z [$I]',
    'ZREMRANGEBYSCORE $Z $B $B',
    'ZREMRANGEBYRANK $Z $I $I',
    'ZRANGE $Z $I $I [REV] [WITHSCORES]',
    'ZRANGE $Z $B $B BYSCORE [REV] [LIMIT $I $I] [WITHSCORES]',
    'ZRANGE lex $X $X BYLEX [REV] [LIMIT $I $I]',
    'ZREVRANGE $Z $I $I [WITHSCORES]',
    'ZRANGEBYSCORE|ZREVRANGEBYSCORE $Z $B $B [WITHSCORES] [LIMIT $I $I]',
    'ZADD lex 1 $M',
    'ZRANGEBYLEX|ZREVRANGEBYLEX lex $X $X [LIMIT $I $I]',
    'ZSCAN $Z 0 [MATCH $P] [COUNT 100]'
  ],
  stream: [
    'XADD $Y [NOMKSTREAM] [MAXLEN [=] $O|MINID [=] $ID] $ID {$M $V}',
    'XADD $Y $ID $M $V',
    'XADD $Y $NEW $M $V',
    'XLEN $Y',
    'XRANGE $Y $FROM $TO [COUNT $I]',
    'XREVRANGE $Y $TO $FROM [COUNT $I]',
    'XDEL $Y {$ID}',
    'XTRIM $Y MAXLEN|MINID [=] $O',
    'XSETID $Y $ID [ENTRIESADDED $O MAXDELETEDID $ID]',
    'XREAD [COUNT $I] STREAMS $Y $ID',
    'XREAD [COUNT $I] [BLOCK 0] STREAMS stream0 stream1 $ID|$ $ID|$'
  ],
  group: [
    'XGROUP CREATE $Y $G $ID|$ [MKSTREAM] [ENTRIESREAD 1]',
    'XGROUP CREATE $Y $G 0 MKSTREAM',
    'XGROUP SETID $Y $G $ID|$ [ENTRIESREAD 1]',
    'XGROUP DESTROY $Y $G',
    'XGROUP CREATECONSUMER|DELCONSUMER $Y $G $C',
    'XREADGROUP GROUP $G $C [COUNT $I] [BLOCK 0] [NOACK] STREAMS $Y >',
    'XREADGROUP GROUP $G $C COUNT 2 STREAMS $Y >',
    'XREADGROUP GROUP $G $C [COUNT $I] STREAMS $Y $ID',
    'XREADGROUP GROUP $G $C STREAMS stream0 stream1 > >|$ID',
    'XACK $Y $G {$ID}',
    'XPENDING $Y $G',
    'XPENDING $Y $G [IDLE 500000] $FROM $TO $I [$C]',
    'XCLAIM $Y $G $C 0|500000 {$ID} [IDLE 1000000|IDLE 0] [RETRYCOUNT $O] [FORCE] [JUSTID] [LASTID $ID]',
    'XAUTOCLAIM $Y $G $C 0|500000 $ID [COUNT $I] [JUSTID]',
    'XINFO STREAM $Y',
    'XINFO STREAM $Y FULL [COUNT $I]',
    'XINFO GROUPS $Y',
    'XINFO CONSUMERS $Y $G'
  ],
  keys: [
    'DEL|UNLINK|EXISTS|TOUCH {$K}',
    'TYPE $K',
    'KEYS $P',
    'DBSIZE',
    'RENAME|RENAMENX $K $K',
    'COPY $K $K [DB 0|DB 1] [REPLACE]',
    'MOVE $K 0|1',
    'EXPIRE $K $T [NX|XX|GT|LT]',
    'EXPIREAT|PEXPIREAT $K $AT [GT|LT]',
    'TTL|PTTL|EXPIRETIME|PEXPIRETIME|PERSIST $K',
    'SCAN 0 COUNT 1000 [MATCH $P] [TYPE stream|TYPE hash|TYPE string]'
  ],
  script: [
    'EVAL $SAVE 1 $H $ETAG $V 0|2',
    'EVAL $SAVE 1 $H $ETAG $V 2',
    'EVAL $DELETE 1 $H $ETAG',
    'EVAL $UNLOCK 1 $S $V'
  ],
  channels: [
    'SUBSCRIBE $M',
    'PSUBSCRIBE $Q',
    'UNSUBSCRIBE $M',
    'PUNSUBSCRIBE $Q',
    'PUBLISH $M $V',
    'PUBLISH $M $V',
    'PUBSUB CHANNELS [a*]',
    'PUBSUB NUMPAT',
    'PUBSUB NUMSUB {$M}'
  ],
  session: [
    'SELECT 0|1',
    'PING [$V]',
    'ECHO $V',
    'MULTI',
    'EXEC',
    'EXEC',
    'DISCARD',
    'WATCH {string0|string1|list0|set1|hash0|zset0|stream0|stream1}',
    'UNWATCH',
    'HELLO 2|3',
    'RESET',
    'CLIENT GETNAME',
    'CLIENT SETNAME $M'
  ],
  wrong: [
    'NOSUCH $V $K',
    'FLUSHDB',
    'FLUSHALL',
    'XGROUP $C $Y $G',
    'XINFO $C $Y',
    'CONFIG GET',
    'CLIENT NOSUCH',
    'SCRIPT EXISTS $V'
  ]
}

/** How often each family is chosen. */
const SHARES: Readonly<Record<string, number>> = {
  string: 12,
  hash: 10,
  list: 14,
  set: 10,
  zset: 12,
  stream: 16,
  group: 24,
  keys: 14,
  script: 6,
  channels: 6,
  session: 12,
  wrong: 1
}

const FAMILY_KEYS = {S: 'string', H: 'hash', L: 'list', E: 'set', Z: 'zset', Y: 'stream'} as const

const FAR = '4102444800'

const WORDS: Readonly<Record<string, Words>> = {
  V: ['1', '-7', '10', '2.5', 'a', 'text', '', 'x\r\ny', '\0\xff', '123456', 'x'.repeat(70)],
  M: ['a', 'b', 'c', 'd', '1', '2', '', '\xff\0', 'aa', 'version'],
  T: ['1000', '2000', '0', '-1', '1000000', '9223372036854775807', 'x'],
  AT: [FAR, `${FAR}000`, '1', '0', '-5'],
  I: ['0', '1', '2', '3', '-1', '-2', '-3', '5', '100', '-100'],
  O: ['0', '1', '2', '3', '5', '8', '-1'],
  F: ['1', '0.5', '-2.5', '1e3', 'inf', 'nan', 'x', '9007199254740993', '-9007199254740992.5', '0.0625'],
  N: ['1', '2', '2', '3', '-1', '0', '1.5', 'inf', '-inf', '1e10', '0.25'],
  B: ['0', '1', '(1', '2', '(2', '3', '-inf', '+inf', 'inf', '(x', '-1'],
  X: ['-', '+', '[a', '(a', '[b', '(c', '[', '(', 'a', '[aa'],
  P: ['*', 'a*', '?', '[ab]', '[^a]', '\\*', '*t*0', '', '*\xff*'],
  Q: ['a*', '?', '[ab]*', 'c?'],
  ETAG: ['0', '0', '1', '2', '3', '', 'x'],
  SAVE: [SAVE_SCRIPT],
  DELETE: [DELETE_SCRIPT],
  UNLOCK: [UNLOCK_SCRIPT],
  ID: [
    '0',
    '1',
    '0-0',
    ...Array.from({length: 9}, (_, at) => `${1 + Math.trunc(at / 2)}-${at % 3}`),
    ...'5-1 6-1 7 8-1 9-1 3 0-1'.split(' ')
  ],
  NEW: ['1-*', '2-*', '3-*', '4-*', '5-*', '6-*', '9-*'],
  FROM: ['-', '-', '1', '2-1', '(2-1', '(1', '3', '+', 'x'],
  TO: ['+', '+', '3', '4-1', '(3-1', '(4', '5', '-'],
  G: ['g0', 'g1'],
  C: ['c0', 'c1', 'c2'],
  K: Object.values(FAMILY_KEYS).flatMap(name => [`${name}0`, `${name}1`])
}

/** One of them, now and then with words that do not belong there. */
export function commandOf(random: Random): Words {
  const all = Object.entries(SHARES).flatMap(([name, share]) => Array.from({length: share}, () => name))
  const rules = RULES[pick(all, random)] ?? []
  const words = filled(pick(rules, random), random)
  if (
    random(60) !== 0 ||
    /^(?:SCAN|EXEC|EVAL|HELLO|CLIENT|PUBSUB|P?(?:UN)?SUBSCRIBE|XREAD|XREADGROUP|B[LR]POP|BRPOPLPUSH|BLMOVE|HRANDFIELD|SPOP|SRANDMEMBER|HSCAN|SSCAN|ZSCAN|XACK|XDEL)$/.test(
      words[0] ?? ''
    )
  )
    return words
  // a word too few, too many, or another one
  const at = random(words.length)
  const how = random(3)
  if (how === 0) return words.length > 1 ? words.slice(0, -1) : words
  if (how === 1) return [...words, pick(WORDS['V'] ?? [], random)]
  return words.with(at, at === 0 ? (words[0] ?? '') : pick(['0', '2', '-1'], random))
}

/** A key of any type. */
export const anyKey = (random: Random): string => pick(WORDS['K'] ?? [], random)

const pick = <T>(all: readonly T[], random: Random): T => all[random(all.length)] as T

/** The words of a rule. */
function filled(rule: string, random: Random): Words {
  return parts(rule).flatMap(part => {
    const [sign] = part
    const inner = part.slice(1, -1)
    if (sign === '[') return random(3) === 0 ? filled(pick(choices(inner), random), random) : []
    if (sign === '{') return Array.from({length: 1 + random(3)}, () => filled(inner, random)).flat()
    return [wordOf(pick(choices(part), random), random)]
  })
}

function wordOf(part: string, random: Random): string {
  if (part === '$' || !part.startsWith('$')) return part
  const name = part.slice(1)
  if (!(name in FAMILY_KEYS)) return pick(WORDS[name] ?? [], random)
  const other = random(40) === 0
  return other ? pick(WORDS['K'] ?? [], random) : `${FAMILY_KEYS[name as keyof typeof FAMILY_KEYS]}${random(2)}`
}

const choices = (text: string): Words => text.split(/\|(?![^[]*\])/)

/** Splits at blanks that are in no brackets. */
function parts(rule: string): Words {
  const found: string[] = []
  let depth = 0
  let word = ''
  for (const sign of rule) {
    if ('[{'.includes(sign)) depth++
    if (']}'.includes(sign)) depth--
    if (sign === ' ' && depth === 0) {
      found.push(word)
      word = ''
    } else word += sign
  }
  return [...found, word]
}
