import t from 'tap'
import {
  nextStep,
  type Intent,
  type OwnerFacts,
  type OwnerStep,
  type ReplacementPoint
} from '../../../../src/supervisor/owner/next-step.ts'

const BOOLEANS = [false, true]
const POINTS: readonly ReplacementPoint[] = ['none', 'begun', 'drained', 'exchanged', 'up', 'down', 'left']
const ROUND = 5

/** Every combination of values. */
const every = <T extends object>(axes: {readonly [K in keyof T]: readonly T[K][]}): readonly T[] =>
  Object.entries<readonly unknown[]>(axes).reduce<readonly object[]>(
    (all, [key, values]) => all.flatMap(each => values.map(value => ({...each, [key]: value}))),
    [{}]
  ) as readonly T[]

const INTENTS = every<Intent>({
  leaves: BOOLEANS,
  closing: ['no', 'closes', 'reopens', 'opens'],
  runEnds: BOOLEANS,
  person: ['none', 'stopped', 'debugs', 'excepted'],
  request: ['no', 'later', 'now'],
  round: [ROUND],
  idle: [{kind: 'no'}, {kind: 'idle', isBusy: () => false}, {kind: 'needed', cause: 'a call'}]
})

const FACTS = every<OwnerFacts>({
  isOpen: BOOLEANS,
  process: ['up', 'asleep', 'down', 'theirs'],
  round: [3, ROUND],
  candidate: [0, 4, ROUND],
  replacement: POINTS,
  isFalling: BOOLEANS,
  mayOverlap: BOOLEANS,
  turn: ['own', 'other']
})

/**
 * Whether these facts can occur: only a process that keeps its starter overlaps, a closed app has no process to replace, a candidate begins
 * only without a replacement, and a process of the latest round is drained only for a sleep.
 */
function canOccur({person, closing}: Intent, facts: OwnerFacts): boolean {
  const {isOpen, process, round, candidate, replacement, isFalling, mayOverlap} = facts
  if (mayOverlap && (process !== 'up' || !['none', 'stopped'].includes(person))) return false
  if (!isOpen) return closing !== 'no' && candidate === 0 && replacement === 'none' && !isFalling
  if (candidate > 0) return replacement === 'none' && !isFalling && round !== ROUND
  if (isFalling) return replacement !== 'none' && replacement !== 'up'
  return round !== ROUND || !['begun', 'drained'].includes(replacement)
}

interface Pair {
  readonly intent: Intent
  readonly facts: OwnerFacts
}

/** The pair after a step, or when nothing is to be done: a process gets ready, or fails, or another instance ends its turn. */
function after(step: OwnerStep, {intent, facts}: Pair): Pair {
  const mine = intent.person === 'none' ? 'up' : 'theirs'
  const {round} = intent
  switch (step) {
    case 'open':
      return {intent: {...intent, closing: 'no', request: 'no'}, facts: {...facts, isOpen: true, process: mine, round}}
    case 'end': {
      const none = {candidate: 0, replacement: 'none', isFalling: false} as const
      return {intent, facts: {...facts, ...none, isOpen: false}}
    }
    case 'renew':
      return {intent: {...intent, request: 'no', round: round + 1}, facts}
    case 'wake':
    case 'queue':
      return {intent: {...intent, request: 'no'}, facts: {...facts, process: 'up'}}
    case 'overlap':
      return {intent, facts: {...facts, round, candidate: 0}}
    case 'drain': {
      const isFalling = facts.isFalling || facts.round === round
      return {intent, facts: {...facts, replacement: 'drained', candidate: 0, isFalling}}
    }
    case 'exchange':
      return {intent, facts: {...facts, round, replacement: 'exchanged', process: mine}}
    case 'fallAsleep':
      return {intent, facts: {...facts, replacement: 'exchanged'}}
    case 'close': {
      const idle = facts.isFalling ? ({kind: 'no'} as const) : intent.idle
      return {intent: {...intent, idle}, facts: {...facts, replacement: 'none', isFalling: false}}
    }
    case 'none': {
      const replacement = facts.replacement === 'exchanged' ? 'down' : facts.replacement
      return {intent, facts: {...facts, turn: 'own', candidate: 0, replacement}}
    }
  }
}

/** Whether nothing is left to do. */
function isReached({intent: {leaves, closing, runEnds, person, request, round, idle}, facts}: Pair): boolean {
  if (facts.replacement !== 'none' || facts.candidate > 0) return false
  if (facts.isOpen && closing !== 'no') return false
  if (runEnds || person === 'stopped') return true
  const isWanted = !leaves && (person === 'debugs' || (person === 'none' && request === 'now'))
  if (!facts.isOpen) return closing === 'reopens' || (closing === 'closes' && !isWanted)
  if (isWanted && facts.process !== (person === 'none' ? 'up' : 'theirs')) return false
  return facts.round === round && idle.kind !== 'idle'
}

t.test('each intent is reached from each state, by at most twelve steps, and what ends begins nothing', async t => {
  let pairs = 0
  for (const intent of INTENTS)
    for (const facts of FACTS.filter(each => canOccur(intent, each))) {
      pairs++
      let pair = {intent, facts}
      const steps: OwnerStep[] = []
      while (!isReached(pair) && steps.length < 12) {
        const step = nextStep(pair.intent, pair.facts)
        steps.push(step)
        pair = after(step, pair)
      }
      const isEnding = intent.runEnds || intent.person === 'stopped'
      const begun = isEnding && steps.some(step => !['end', 'close', 'none'].includes(step))
      if (!isReached(pair) || begun) return void t.fail(JSON.stringify({intent, facts, steps, pair}))
      if (steps.includes('fallAsleep') && intent.idle.kind !== 'idle') t.fail(JSON.stringify({intent, facts, steps}))
    }
  t.equal(pairs, 132_192)
})

const INTENT: Intent = {
  leaves: false,
  closing: 'no',
  runEnds: false,
  person: 'none',
  request: 'no',
  round: 1,
  idle: {kind: 'no'}
}
const OPEN: OwnerFacts = {
  isOpen: true,
  process: 'up',
  round: 1,
  candidate: 0,
  replacement: 'none',
  isFalling: false,
  mayOverlap: false,
  turn: 'own'
}

/** The step for a person who asks for a process, or for a debugger. */
const next = (person: Intent['person'], facts: Partial<OwnerFacts>, intent: Partial<Intent> = {}): OwnerStep =>
  nextStep({...INTENT, person, request: person === 'none' ? 'now' : 'no', ...intent}, {...OPEN, ...facts})

t.test('the table of a person who wants a process, or a debugger', async t => {
  for (const [process, forStart, forDebugger] of [
    ['up', 'none', 'renew'],
    ['asleep', 'wake', 'renew'],
    ['down', 'queue', 'renew'],
    ['theirs', 'renew', 'none']
  ] as const) {
    t.equal(next('none', {process}), forStart)
    t.equal(next('debugs', {process}), forDebugger)
    const closed = {process, isOpen: false}
    for (const person of ['none', 'debugs'] as const) {
      t.equal(next(person, closed, {closing: 'closes'}), 'open')
      t.equal(next(person, closed, {closing: 'reopens'}), 'none', 'the edit opens it')
    }
    t.equal(next('stopped', {process}), 'none')
    t.equal(next('none', closed, {closing: 'closes', request: 'later'}), 'none', 'its dependencies come first')
    for (const closing of ['closes', 'reopens'] as const) t.equal(next('none', {process}, {closing}), 'end')
  }
  t.equal(next('debugs', {round: 0}), 'drain', 'it goes to the debugger with the round that is asked for already')
})

/** The step towards this round of an open app. */
const then = (round: number, other: Partial<OwnerFacts> = {}, idle: Intent['idle'] = {kind: 'no'}): OwnerStep =>
  nextStep({...INTENT, round, idle}, {...OPEN, ...other})

t.test('the table of a process that has to give way', async t => {
  t.equal(then(1), 'none')
  t.equal(then(2), 'drain')
  t.equal(then(2, {mayOverlap: true}), 'overlap')
  t.equal(then(2, {turn: 'other'}), 'none', 'another instance is first')
  t.equal(then(2, {candidate: 2}), 'overlap', 'also if the process beside it has died')
  t.equal(then(3, {candidate: 2}), 'none', 'a candidate of an older round is called off first')
  t.equal(then(2, {replacement: 'drained', turn: 'other'}), 'exchange', 'one that has begun waits for none')
  t.equal(then(2, {replacement: 'exchanged', mayOverlap: true}), 'drain', 'it was asked for again')
  t.equal(then(1, {replacement: 'exchanged'}), 'none', 'it is not ready yet')
  for (const replacement of ['up', 'down', 'left'] as const) t.equal(then(1, {replacement}), 'close')
  for (const replacement of ['begun', 'drained', 'exchanged'] as const)
    t.equal(
      nextStep({...INTENT, round: 2, runEnds: true}, {...OPEN, replacement}),
      'close',
      'nothing is begun at the end'
    )
  const [idle, needed] = [
    {kind: 'idle', isBusy: () => false},
    {kind: 'needed', cause: 'a call'}
  ] as const
  t.equal(then(1, {}, idle), 'drain', 'it falls asleep')
  t.equal(then(2, {mayOverlap: true}, idle), 'overlap', 'a newer round comes first')
  for (const [replacement, forIdle, forNeeded] of [
    ['begun', 'drain', 'close'],
    ['drained', 'fallAsleep', 'close'],
    ['exchanged', 'none', 'none'],
    ['down', 'close', 'close'],
    ['left', 'close', 'close']
  ] as const) {
    t.equal(then(1, {replacement, isFalling: true}, idle), forIdle)
    t.equal(then(1, {replacement, isFalling: true}, needed), forNeeded)
    t.equal(then(2, {replacement, isFalling: true}), forNeeded, 'a newer round waits until its process has ended')
  }
})
