import t from 'tap'
import type {OpenSidecar} from '../../../src/dapr/sidecar/open-sidecar.ts'
import {jobDelivery} from '../../../src/run/run-jobs.ts'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import {Jobs} from '../../../src/work/job/jobs.ts'
import {WakeUps} from '../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../src/work/work-file.ts'
import {TestClock} from '../../rig/clock.ts'

t.test('a job that is run by hand, and whose process is gone without an answer, is not run once more', async t => {
  const clock = new TestClock()
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  let tries = 0
  const deliverJob: OpenSidecar['deliverJob'] = async () =>
    Promise.resolve({kind: 'undeliverable', answer: `EOF ${++tries}`, wasSent: true})
  const runtime = {id: 'shop', availability: 'waiting', plan: {command: ['node']}, sleep: {need: () => undefined}}
  const deliver = jobDelivery(new Map([[runtime as unknown as AppRuntime, {deliverJob} as OpenSidecar]]))
  const jobs = new Jobs({file, wakeUps, clock, log: (_, __, text) => t.fail(text)}, deliver)
  await jobs.schedule('shop', {name: 'once', dueTime: '9h'}, false)
  t.match(await jobs.run('shop', 'once'), {kind: 'failed', answer: 'EOF 1'})
  jobs.close()
  wakeUps.close()
  file.close()
})

const refuse: OpenSidecar['deliverJob'] = async () => Promise.resolve({kind: 'undeliverable', answer: 'no'})

t.test('a tick that an app cannot take yet is expected to be taken, unless no process of it is to come', async t => {
  for (const [availability, command, isExpected] of [
    ['waiting', ['node'], true],
    ['waiting', [], false],
    ['asleep', ['node'], true],
    ['never', ['node'], false]
  ] as const) {
    const runtime = {id: 'shop', availability, plan: {command}, sleep: {need: () => undefined}} as unknown as AppRuntime
    const deliver = jobDelivery(new Map([[runtime, {deliverJob: refuse} as OpenSidecar]]))
    t.match(await deliver({app: 'shop', name: 'j'} as never), {kind: 'undeliverable', isExpected})
  }
})

t.test('a tick that is run by hand waits for an app that starts, where one is to come', async t => {
  for (const [availability, answer] of [
    ['waiting', '200'],
    ['asleep', '200'],
    ['never', 'no process of the app takes calls']
  ] as const) {
    const plan = {command: ['node']}
    const runtime = {id: 'shop', availability, plan, sleep: {need: () => undefined}} as unknown as AppRuntime
    const deliverJob: OpenSidecar['deliverJob'] = async (job, waits) =>
      waits === true ? Promise.resolve({kind: 'done', answer: '200'}) : refuse(job)
    const deliver = jobDelivery(new Map([[runtime, {deliverJob} as OpenSidecar]]))
    t.match(await deliver({app: 'shop', name: 'j'} as never, true), {answer})
  }
})

t.test('a tick that is run by hand waits for the instance that starts, not for one that has ended', async t => {
  const sidecars = new Map(
    (['never', 'waiting'] as const).map(availability => {
      const runtime = {id: 'shop', availability, plan: {command: ['node']}, sleep: {need: () => undefined}}
      const deliverJob: OpenSidecar['deliverJob'] = async (job, waits) =>
        waits === true && availability === 'waiting' ? Promise.resolve({kind: 'done', answer: '200'}) : refuse(job)
      return [runtime as unknown as AppRuntime, {deliverJob} as OpenSidecar]
    })
  )
  const deliver = jobDelivery(sidecars)
  for (let tick = 0; tick < 2; tick++) t.match(await deliver({app: 'shop', name: 'j'} as never, true), {answer: '200'})
})
