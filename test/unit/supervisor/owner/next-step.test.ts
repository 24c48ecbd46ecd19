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

const everyIntent = (): readonly Intent[] =>
  PERSONS.flatMap(person =>
    BOOLEANS.flatMap(leaves =>
      BOOLEANS.map(isStartRequested => ({
        person,
        leaves,
        isStartRequested,
        round: 0
      }))
    )
  )

const everyFacts = (): readonly OwnerFacts[] =>
  (['open', 'closed'] as const).flatMap(sidecar =>
    PROCESSES.flatMap(process => BOOLEANS.map(isFree => ({sidecar, process, isFree})))
  )

const DONE: Readonly<Record<Exclude<OwnerStep, 'none'>, (intent: Intent) => Partial<OwnerFacts>>> = {
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
function isSatisfied({person, leaves, isStartRequested}: Intent, {sidecar, process}: OwnerFacts): boolean {
  if (leaves || person === 'stopped') return true
  if (sidecar === 'closed') return false
  if (person === 'none') return process === 'up' || (process !== 'theirs' && !isStartRequested)
  return process === 'theirs' || person === 'excepted'
}

t.test('each wish is reached from each state, by at most two steps', t => {
  let pairs = 0
  for (const intent of everyIntent())
    for (const start of everyFacts()) {
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

const everyExchange = (): readonly ExchangeFacts[] =>
  BOOLEANS.flatMap(isOver =>
    [3, ROUND].flatMap(round =>
      [0, 4, ROUND].flatMap(candidate =>
        POINTS.flatMap(replacement =>
          BOOLEANS.flatMap(mayOverlap =>
            (['own', 'other'] as const).map(turn => ({isOver, round, candidate, replacement, mayOverlap, turn}))
          )
        )
      )
    )
  )

/** The facts after a step, or when nothing is to be done: a process gets ready, or fails, or another instance ends its turn. */
function afterExchange(step: ExchangeStep, facts: ExchangeFacts): ExchangeFacts {
  switch (step) {
    case 'overlap':
      return {...facts, round: ROUND, candidate: 0}
    case 'drain':
      return {...facts, replacement: 'drained', candidate: 0}
    case 'exchange':
      return {...facts, round: ROUND, replacement: 'exchanged'}
    case 'close':
      return {...facts, replacement: 'none'}
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
  for (const start of everyExchange()) {
    const {round, candidate, replacement} = start
    // a candidate begins only without a replacement, and that is drained only for a newer round
    if (candidate > 0 && (replacement !== 'none' || round === ROUND)) continue
    if (round === ROUND && ['begun', 'drained'].includes(replacement)) continue
    pairs++
    let facts = start
    const steps: ExchangeStep[] = []
    const isDone = (): boolean => facts.replacement === 'none' && (facts.isOver || facts.round === ROUND)
    while (!isDone() && steps.length < 6) {
      const step = nextExchange({round: ROUND}, facts)
      steps.push(step)
      facts = afterExchange(step, facts)
    }
    if (!isDone() || (start.isOver && steps.some(step => step !== 'close')))
      t.fail(JSON.stringify({start, steps, facts}))
  }
  t.equal(pairs, 112)
  t.end()
})

t.test('the table of a process that has to give way', t => {
  const facts: ExchangeFacts = {
    isOver: false,
    round: 1,
    candidate: 0,
    replacement: 'none',
    mayOverlap: false,
    turn: 'own'
  }
  const then = (round: number, other: Partial<ExchangeFacts> = {}): ExchangeStep =>
    nextExchange({round}, {...facts, ...other})
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
  t.end()
})
