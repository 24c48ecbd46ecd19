import t from 'tap'
import {DEFAULT_TRACING} from '../../../../src/files/resources/defaults.ts'
import {SidecarTracing} from '../../../../src/dapr/sidecar/tracing.ts'

const options = {appId: 'shop', httpPort: 3500, resources: {warn: () => undefined}, env: {}, log: () => undefined}
const PLACE = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/
const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

t.test('a workflow is below the call that has started it, as the Configuration wants', async t => {
  const tracing = new SidecarTracing(options)
  t.match(tracing.beginWork(''), PLACE, 'where nothing is configured, so that its calls are found')
  const below = tracing.beginWork(PARENT)
  t.match(below, new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`))
  t.not(below, PARENT)
  t.match(tracing.beginWork('00-no-trace-01'), PLACE)
  await tracing.use({...DEFAULT_TRACING, samplingRate: '1'})
  t.match(tracing.beginWork(''), PLACE)
  t.equal(tracing.beginWork(PARENT).slice(3, 35), 'a'.repeat(32))
  t.equal(tracing.beginWork(`${PARENT.slice(0, -2)}00`), '', 'its caller is not sampled')
  await tracing.use({...DEFAULT_TRACING, samplingRate: '0'})
  t.equal(tracing.beginWork(PARENT), '')
})
