import {spawn} from 'node:child_process'
import {text} from 'node:stream/consumers'
import t from 'tap'
import {parseSchedule} from '../../src/work/schedule/schedule.ts'
import {goProgram, installed} from './installed.ts'

/** Zones with odd changes of their clocks, each with a year that has some. */
const ZONES: readonly (readonly [zone: string, year: number])[] = [
  ['UTC', 2024],
  ['America/New_York', 2023],
  ['Europe/Berlin', 2023],
  ['Australia/Lord_Howe', 2023], // by half an hour
  ['Antarctica/Troll', 2023], // by two hours
  ['Africa/Casablanca', 2022], // twice around Ramadan
  ['America/Havana', 2022], // at midnight
  ['America/Sao_Paulo', 2018], // days that begin at one o'clock
  ['Asia/Gaza', 2021],
  ['Africa/Cairo', 2014], // four times
  ['Pacific/Apia', 2011], // a day is left out
  ['Asia/Pyongyang', 2015], // half an hour back for good
  ['Pacific/Chatham', 2023],
  ['America/St_Johns', 2010] // a minute after midnight
]

const SPECS = [
  '0 30 2 * * *',
  '0 30 1 * * *',
  '0 0 0 * * *',
  '0 */20 0-4 * * *',
  '0 0 12 1-7 * mon',
  '10 0 3 * mar,oct sun',
  '@weekly',
  '@monthly'
]

/** A schedule that goes round in circles ends, too. */
const MAX = 100_000

/** Seconds since 1970 of all times within a year, in UTC. */
const timesIn = (spec: string, from: number, to: number): readonly number[] => {
  const schedule = parseSchedule(spec)
  const times: number[] = []
  for (
    let at = schedule.next(from * 1000);
    at !== undefined && at < to * 1000 && times.length < MAX;
    at = schedule.next(at)
  )
    times.push(at / 1000)
  return times
}

/** In them Dapr's own parser leaves out times, or goes round in circles: clocks that change by half an hour, or at midnight. */
const ODD = ['Australia/Lord_Howe', 'Africa/Cairo', 'Pacific/Apia', 'Asia/Pyongyang', 'America/St_Johns']

t.test('schedules of a year in zones with odd clocks come at their local times, as Dapr’s parser has them', async t => {
  const folder = await installed(t, goProgram('cron'))
  if (folder === undefined) return
  const cases = ZONES.flatMap(([zone, year]) =>
    SPECS.map(spec => ({
      zone,
      spec: `TZ=${zone} ${spec}`,
      from: Date.UTC(year, 0, 1) / 1000,
      to: Date.UTC(year + 1, 0, 1) / 1000
    }))
  )
  const program = spawn(`${folder}/cron`, {stdio: ['pipe', 'pipe', 'inherit']})
  program.stdin.end(
    cases.map(({from, to, zone, spec}) => `${from} ${to} ${ODD.includes(zone) ? 'clock' : 'both'} ${spec}\n`).join('')
  )
  const lines = (await text(program.stdout)).split('\n')
  let count = 0
  for (const [index, {spec, from, to}] of cases.entries()) {
    const words = (lines[index] ?? '').split(' ')
    const expected = words.slice(0, -1).map(Number)
    count += expected.length
    const ours = timesIn(spec, from, to)
    const isSame = ours.join(' ') === expected.join(' ')
    t.ok(isSame, `${spec} from ${new Date(from * 1000).toISOString()}`, isSame ? {} : difference(ours, expected))
    t.equal(words.at(-1), 'same', `${spec}: Dapr’s parser`)
  }
  t.comment(`${count} times of ${cases.length} schedules`)
  t.ok(count > 70_000)
})

const dateOf = (second: number): string => new Date(second * 1000).toISOString()

const difference = (ours: readonly number[], expected: readonly number[]) => {
  return {
    oursAlone: ours.filter(each => !expected.includes(each)).map(dateOf),
    missing: expected.filter(each => !ours.includes(each)).map(dateOf)
  }
}
