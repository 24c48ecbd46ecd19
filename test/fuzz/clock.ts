import {RedisEngine} from '../../src/packages/redis/engine/engine.ts'
import {RedisError} from '../../src/packages/redis/engine/result.ts'
import type {Random} from './random.ts'

const HOUR = 3_600_000
const JUMPS = [0, 1, -1, 1000, -1000, HOUR, -HOUR, 1e10, -1e10]

type Step = {readonly jump: number; readonly command: readonly string[]}

/** Commands of Redis in between which the machine's clock jumps, as after a sleep or by hand. */
export function clockSteps(random: Random): readonly Step[] {
  const key = (): string => random.pick(['a', 'b', 'c'])
  const ms = (): string => random.pick(['1', '1000', HOUR.toString(), '99999999999999'])
  const commands: readonly (() => readonly string[])[] = [
    () => ['SET', key(), 'x', 'PX', ms()],
    () => ['SET', key(), 'x'],
    () => ['PEXPIRE', key(), ms()],
    () => ['PEXPIREAT', key(), Date.now().toString()],
    () => ['PERSIST', key()],
    () => ['GET', key()],
    () => ['XADD', 'stream', '*', 'data', 'x'],
    () => ['XAUTOCLAIM', 'stream', 'g', 'other', '1000', '0'],
    () => ['XREADGROUP', 'GROUP', 'g', 'one', 'STREAMS', 'stream', '>'],
    () => ['KEYS', '*'],
    () => ['TIME']
  ]
  return Array.from({length: 1 + random.below(60)}, () => ({
    jump: random.pick(JUMPS),
    command: random.pick(commands)()
  }))
}

/** Throws where a stream goes back, a key has a time that it cannot have, or one without a time is gone. */
export function playClock(steps: readonly Step[]): void {
  const {now} = Date
  let offset = 0
  Date.now = () => now() + offset
  const engine = new RedisEngine()
  try {
    const session = engine.open()
    engine.run(session, ['XGROUP', 'CREATE', 'stream', 'g', '0', 'MKSTREAM'])
    engine.run(session, ['SET', 'stays', 'x'])
    let last = '0-0'
    for (const {jump, command} of steps) {
      offset += jump
      const result = engine.run(session, command)
      if (result instanceof RedisError && !/^(?:ERR|WRONGTYPE)/.test(result.message))
        throw new Error(`${command.join(' ')}: ${result.message}`)
      if (command[0] === 'XADD') last = after(last, typeof result === 'string' ? result : '')
      for (const key of ['a', 'b', 'c']) {
        const left = Number(engine.run(session, ['PTTL', key]))
        if (!(left >= -2)) throw new Error(`${key} has ${left} ms left`)
      }
      if (engine.run(session, ['GET', 'stays']) !== 'x') throw new Error('a key without a time is gone')
    }
  } finally {
    engine.close()
    Date.now = now
  }
}

/** The id of an entry, which must be greater than the one before. */
function after(last: string, id: string): string {
  const [[ms = 0, seq = 0], [lastMs = 0, lastSeq = 0]] = [id, last].map(text => text.split('-').map(Number)) as [
    number[],
    number[]
  ]
  if (ms < lastMs || (ms === lastMs && seq <= lastSeq)) throw new Error(`${id} comes after ${last}`)
  return id
}
