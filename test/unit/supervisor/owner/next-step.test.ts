import t from 'tap'
import {nextStep, type OwnerFacts, type Intent, type OwnerStep} from '../../../../src/supervisor/owner/next-step.ts'

const PERSONS: readonly Intent['person'][] = ['none', 'stopped', 'debugs', 'excepted']
const PROCESSES: readonly OwnerFacts['process'][] = ['up', 'asleep', 'ended', 'given up', 'theirs']
const BOOLEANS = [false, true]

const everyIntent = (): readonly Intent[] =>
  PERSONS.flatMap(person =>
    BOOLEANS.flatMap(leaves =>
      BOOLEANS.map(isStartRequested => ({
        person,
        leaves,
        isStartRequested
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
