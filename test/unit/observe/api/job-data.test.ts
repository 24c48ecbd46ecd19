import t from 'tap'
import {JOB_OPERATIONS} from '../../../../src/dapr/sidecar/operations/jobs.ts'
import {oneJob} from '../../../../src/observe/api/jobs/serve-jobs.ts'
import {Jobs, type DeliverJob} from '../../../../src/work/job/jobs.ts'
import {openHouse} from '../../../rig/workflow-house.ts'

const deliver: DeliverJob = async () => Promise.resolve({kind: 'done', answer: '200'})

t.test('JSON of an app is shown as it has given it', async t => {
  const house = await openHouse(t)
  const jobs = new Jobs({...house, log: () => undefined}, deliver)
  const GET = JOB_OPERATIONS.GetJob.http
  const blocks = {jobs: {get: async (name: string) => jobs.get('shop', name)}}
  for (const [json, text = json] of [
    ['{"id":12345678901234567890}'],
    ['{"@type":"order","value":1,"item":"pen"}'],
    ['"pen"', 'pen'],
    ['null']
  ] as const) {
    const data = {typeUrl: '', value: Buffer.from(json)}
    await jobs.schedule('shop', {name: 'j', dueTime: '1h', data}, true)
    t.match(await oneJob(jobs, new URLSearchParams({name: 'j'})), {data: text})
    t.match(String((await GET?.(blocks as never, {params: ['j']} as never))?.body), `"data":${json}`)
  }
  jobs.close()
  house.close()
})
