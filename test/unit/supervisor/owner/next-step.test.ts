import t from 'tap'
import {
  nextExchange,
  nextStep,
  type ExchangeFacts,
  type ExchangeStep,
  type Intent,
  type OwnerFacts,
  type OwnerStep,
  type ReplacementPoint
} from '../../../../src/supervisor/owner/next-step.ts'

const PERSONS: readonly Intent['person'][] = ['none', 'stopped', 'debugs', 'excepted']
const PROCESSES: readonly OwnerFacts['process'][] = ['up', 'asleep', 'ended', 'given up', 'theirs']
const BOOLEANS = [false, true]

/** Every combination of values. */
const every = <T extends object>(axes: {readonly [K in keyof T]: readonly T[K][]}): readonly T[] =>
  Object.entries<readonly unknown[]>(axes).reduce<readonly object[]>(
    (all, [key, values]) => all.flatMap(each => values.map(value => ({...each, [key]: value}))),
    [{}]
  ) as readonly T[]

const INTENTS = every<Omit<Intent, 'round' | 'idle'>>({
  person: PERSONS,
  leaves: BOOLEANS,
  isStartRequested: BOOLEANS
})

const FACTS = every<OwnerFacts>({sidecar: ['open', 'closed'], process: PROCESSES, isFree: BOOLEANS})

const DONE: Readonly<Record<Exclude<OwnerStep, 'none'>, (intent: Pick<Intent, 'person'>) => Partial<OwnerFacts>>> = {
  open: ({person}) => ({
    sidecar: 'open',
    process: person === 'none' ? 'up' : 'theirs'
  }),
  'hand over': () => ({process: 'theirs'}),
  'take back': () => ({process: 'up'}),
  wake: () => ({process: 'up'}),
  restart: () => ({process: 'up'}),
  queue: () => ({process: 'up'})
}

/** Whether the person has what they want. */
function isSatisfied(
  {person, leaves, isStartRequested}: (typeof INTENTS)[number],
  {sidecar, process}: OwnerFacts
): boolean {
  if (leaves || person === 'stopped') return true
  if (sidecar === 'closed') return false
  if (person === 'none') return process === 'up' || (process !== 'theirs' && !isStartRequested)
  return process === 'theirs' || person === 'excepted'
}

t.test('each wish is reached from each state, by at most two steps', t => {
  let pairs = 0
  for (const intent of INTENTS)
    for (const start of FACTS) {
      pairs++
      let facts = start
      let isStartRequested = intent.isStartRequested
      const steps: OwnerStep[] = []
      for (;;) {
        const step = nextStep({...intent, isStartRequested}, facts)
        if (step === 'none') break
        steps.push(step)
        if (steps.length > 2) return void t.fail(JSON.stringify({intent, start, steps}))
        facts = {...facts, ...DONE[step](intent)}
        isStartRequested = false
      }
      if (!isSatisfied(intent, facts)) return void t.fail(JSON.stringify({intent, start, steps, facts}))
      if (isSatisfied(intent, start) && steps.length > 0) t.fail(JSON.stringify({intent, start, steps}))
    }
  t.equal(pairs, 16 * 20)
  t.end()
})

/** The step of a person who asks for a process, or for a debugger. */
const next = (person: Intent['person'], facts: Partial<OwnerFacts>): OwnerStep =>
  nextStep(
    {person, leaves: false, isStartRequested: person === 'none'},
    {sidecar: 'open', process: 'up', isFree: true, ...facts}
  )

t.test('the table of a person who wants a process, or a debugger', t => {
  for (const [process, forStart, forDebugger] of [
    ['up', 'none', 'hand over'],
    ['asleep', 'wake', 'hand over'],
    ['ended', 'restart', 'hand over'],
    ['given up', 'queue', 'hand over'],
    ['theirs', 'take back', 'none']
  ] as const) {
    t.equal(next('none', {process}), forStart)
    t.equal(next('debugs', {process}), forDebugger)
    t.equal(next('none', {process, sidecar: 'closed'}), 'open')
    t.equal(next('debugs', {process, sidecar: 'closed'}), 'open')
    t.equal(next('stopped', {process}), 'none')
  }
  t.equal(next('none', {process: 'ended', isFree: false}), 'queue', 'it waits for what it depends on')
  t.end()
})

const POINTS: readonly ReplacementPoint[] = ['none', 'begun', 'drained', 'exchanged', 'up', 'down', 'left']
const ROUND = 5

const IDLE: readonly Intent['idle'][] = [
  {kind: 'no'},
  {kind: 'idle', isBusy: () => false},
  {kind: 'needed', cause: 'a call'}
]

const EXCHANGES = every<ExchangeFacts>({
  isOver: BOOLEANS,
  round: [3, ROUND],
  candidate: [0, 4, ROUND],
  replacement: POINTS,
  isFalling: BOOLEANS,
  mayOverlap: BOOLEANS,
  turn: ['own', 'other']
})

/** Whether these facts can occur: a candidate begins only without a replacement, and a process of the latest round is drained only for a sleep. */
function canOccur({round, candidate, replacement, isFalling}: ExchangeFacts): boolean {
  if (candidate > 0) return replacement === 'none' && !isFalling && round !== ROUND
  if (isFalling) return replacement !== 'none' && replacement !== 'up'
  return round !== ROUND || !['begun', 'drained'].includes(replacement)
}

/** The facts after a step, or when nothing is to be done: a process gets ready, or fails, or another instance ends its turn. */
function afterExchange(step: ExchangeStep, facts: ExchangeFacts): ExchangeFacts {
  switch (step) {
    case 'overlap':
      return {...facts, round: ROUND, candidate: 0}
    case 'drain':
      return {...facts, replacement: 'drained', candidate: 0, isFalling: facts.isFalling || facts.round === ROUND}
    case 'exchange':
      return {...facts, round: ROUND, replacement: 'exchanged'}
    case 'lull':
      return {...facts, replacement: 'exchanged'}
    case 'close':
      return {...facts, replacement: 'none', isFalling: false}
    case 'none':
      return {
        ...facts,
        turn: 'own',
        candidate: 0,
        replacement: facts.replacement === 'exchanged' ? 'down' : facts.replacement
      }
  }
}

t.test('each process that is too old gives way, whatever is under way, and no replacement stays open', t => {
  let pairs = 0
  for (const of of IDLE)
    for (const start of EXCHANGES.filter(canOccur)) {
      pairs++
      let [facts, idle] = [start, of]
      const steps: ExchangeStep[] = []
      const isDone = (): boolean =>
        facts.replacement === 'none' && (facts.isOver || (facts.round === ROUND && idle.kind !== 'idle'))
      while (!isDone() && steps.length < 10) {
        const step = nextExchange({round: ROUND, idle}, facts)
        steps.push(step)
        if (step === 'close' && facts.isFalling) idle = {kind: 'no'}
        facts = afterExchange(step, facts)
      }
      if (!isDone() || (start.isOver && steps.some(step => step !== 'close')))
        t.fail(JSON.stringify({start, of, steps, facts}))
      if (steps.includes('lull') && of.kind !== 'idle') t.fail(JSON.stringify({start, of, steps}))
    }
  t.equal(pairs, 576)
  t.end()
})

t.test('the table of a process that has to give way', t => {
  const facts: ExchangeFacts = {
    isOver: false,
    round: 1,
    candidate: 0,
    replacement: 'none',
    isFalling: false,
    mayOverlap: false,
    turn: 'own'
  }
  const then = (round: number, other: Partial<ExchangeFacts> = {}, idle: Intent['idle'] = {kind: 'no'}): ExchangeStep =>
    nextExchange({round, idle}, {...facts, ...other})
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
    t.equal(then(2, {replacement, isOver: true}), 'close', 'nothing is begun at the end')
  const [idle, needed] = [
    {kind: 'idle', isBusy: () => false},
    {kind: 'needed', cause: 'a call'}
  ] as const
  t.equal(then(1, {}, idle), 'drain', 'it falls asleep')
  t.equal(then(2, {mayOverlap: true}, idle), 'overlap', 'a newer round comes first')
  for (const [replacement, forIdle, forNeeded] of [
    ['begun', 'drain', 'close'],
    ['drained', 'lull', 'close'],
    ['exchanged', 'none', 'none'],
    ['down', 'close', 'close'],
    ['left', 'close', 'close']
  ] as const) {
    t.equal(then(1, {replacement, isFalling: true}, idle), forIdle)
    t.equal(then(1, {replacement, isFalling: true}, needed), forNeeded)
    t.equal(then(2, {replacement, isFalling: true}), forNeeded, 'a newer round waits until its process has ended')
  }
  t.end()
})
