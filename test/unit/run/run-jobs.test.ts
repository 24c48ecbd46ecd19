import t from 'tap'
import type {OpenSidecar} from '../../../src/dapr/sidecar/open-sidecar.ts'
import {RunJobs} from '../../../src/run/run-jobs.ts'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import type {Job} from '../../../src/work/job/job.ts'

const deliverJob: OpenSidecar['deliverJob'] = async () => Promise.reject(new Error('EMFILE: too many open files'))

t.test('a tick whose delivery cannot begin, as no file can be opened, has failed: it is tried again', async t => {
  const runtime = {id: 'shop', sleep: {need: () => t.fail('it is awake')}} as unknown as AppRuntime
  const jobs = new RunJobs(new Map([[runtime, {deliverJob} as OpenSidecar]]))
  t.match(await jobs.deliver({app: 'shop', name: 'tick'} as Job), {kind: 'failed', answer: /EMFILE/})
})
