import t from 'tap'
import type {Admission, Admit, Held} from '../../../../src/proxy/gateway/admission.ts'
import {withBuiltInRetries} from '../../../../src/proxy/gateway/built-in-retries.ts'
import type {Call} from '../../../../src/model/call.ts'
import type {ResiliencyEvent} from '../../../../src/model/resiliency-event.ts'
import {BUILT_IN_RETRY} from '../../../../src/files/resources/defaults.ts'
import {aCall} from '../../../rig/made-call.ts'

const CALL: Call = aCall()
const RETRY = {...BUILT_IN_RETRY, durationMs: 1}
const UNAVAILABLE: Admission = {ok: false, status: 500, error: 'it takes no connections', isUnavailable: true}
const UNKNOWN: Admission = {ok: false, status: 500, error: "couldn't find service: stock"}
const ADMITTED = {ok: true, leave: () => undefined} as unknown as Admission

const scene = (answers: readonly Admission[], retry = true) => {
  const events: ResiliencyEvent[] = []
  let asked = 0
  const admit: Admit = () => ({
    admitted: Promise.resolve(answers[Math.min(asked++, answers.length - 1)] ?? UNKNOWN),
    cancel: () => undefined
  })
  const retried = withBuiltInRetries(
    admit,
    () => (retry ? RETRY : undefined),
    event => void events.push(event)
  )
  return {held: retried(CALL) as Held, events, asked: () => asked}
}

t.test('a sidecar that takes connections again is found by one of three retries', async t => {
  const {held, events, asked} = scene([UNAVAILABLE, UNAVAILABLE, ADMITTED])
  t.equal(await held.admitted, ADMITTED)
  t.equal(asked(), 3)
  t.match(events, [
    {type: 'retrying', retry: 1, maxRetries: 3, endpoint: {key: 'DaprBuiltInServiceRetries', callee: 'stock'}},
    {type: 'retrying', retry: 2}
  ])
})

t.test('whether a timeout counts the wait is what the first admission says', async t => {
  const held: Held = {
    admitted: new Promise(() => undefined),
    cancel: () => undefined,
    isCounted: true,
    onCounted: () => undefined
  }
  const admit = withBuiltInRetries(
    () => held,
    () => RETRY,
    () => undefined
  )
  t.match(admit(CALL), {isCounted: true, onCounted: held.onCounted})
})

t.test('after the last one the error says so; other errors are none of theirs', async t => {
  const lost = scene([UNAVAILABLE])
  t.match(await lost.held.admitted, {
    ok: false,
    error: 'failed to invoke target stock after 3 retries. Error: it takes no connections'
  })
  t.equal(lost.asked(), 4)
  const unknown = scene([UNAVAILABLE, UNKNOWN])
  t.equal(await unknown.held.admitted, UNKNOWN)
  t.equal(unknown.asked(), 2)
  const listed = scene([UNAVAILABLE], false)
  t.equal(await listed.held.admitted, UNAVAILABLE, 'an app with policies of its own')
  t.equal(listed.asked(), 1)
})

t.test('a connection that is refused after the admission counts as a retry of the same call', async t => {
  let isRefusing = true
  const events: ResiliencyEvent[] = []
  const admit = withBuiltInRetries(
    // it is known, and taken for open until a connection is refused
    (_, isRefused) =>
      isRefused === true && isRefusing ? {admitted: Promise.resolve(UNAVAILABLE), cancel: () => undefined} : ADMITTED,
    () => RETRY,
    event => void events.push(event)
  )
  const refuse = async (): Promise<Admission> => (admit(CALL, true) as Held).admitted
  for (let retry = 1; retry <= 3; retry++) t.equal(await refuse(), ADMITTED)
  t.match(await refuse(), {ok: false, error: /after 3 retries/})
  t.equal(await refuse(), ADMITTED, 'another attempt of the call has retries of its own')
  isRefusing = false
  t.equal(admit(CALL, true), ADMITTED)
  t.equal(events.length, 4)
})

t.test('a caller that leaves ends them', async t => {
  const {held, asked} = scene([UNAVAILABLE])
  held.cancel()
  t.equal(await held.admitted, UNAVAILABLE)
  t.equal(asked(), 1)
})

t.test('what is decided at once is passed on as it is', async t => {
  const retried = withBuiltInRetries(
    () => UNAVAILABLE,
    () => RETRY,
    () => undefined
  )
  t.equal(retried(CALL), UNAVAILABLE)
})
