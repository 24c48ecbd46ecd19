import t, {type Test} from 'tap'
import type {ResiliencyEvent} from '../../../../src/model/resiliency-event.ts'
import {ResourceEffects, type ResourceEffectsOptions} from '../../../../src/dapr/sidecar/resource-effects.ts'
import {OpenResources, type ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import type {PipelineRequest} from '../../../../src/dapr/sidecar/http/middleware/middleware.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../../src/files/resources/resiliency/resiliency.ts'
import {NO_RESOURCES} from '../../../../src/files/resources/defaults.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const app = {id: 'shop', resources: {folders: [], configFile: '', defaultFolder: ''}}

/** The resources of an app whose Configuration has this rate. */
const sampled = (samplingRate: string): ResourceSnapshot => {
  const {configuration} = NO_RESOURCES
  return {...NO_RESOURCES, configuration: {...configuration, tracing: {...configuration.tracing, samplingRate}}}
}

/** Follows the resources of an app: `use` applies a rate. */
async function follow(t: Test, use: (samplingRate: string) => void) {
  const resources = new OpenResources(app, sampled('1'), {warn: () => undefined, closed: () => undefined})
  const [warnings, decided]: [string[], ResiliencyEvent[]] = [[], []]
  const effects = await ResourceEffects.open({
    runtime: {id: 'shop', plan: {channel: {protocol: 'http'}}, opening: {faults: new Map()}},
    resources,
    namespace: 'default',
    tracing: {use: async ({samplingRate}: {readonly samplingRate: string}) => use(samplingRate)},
    external: {},
    decisions: {log: () => undefined, recorded: (event: ResiliencyEvent) => decided.push(event)},
    warn: (text: string) => warnings.push(text)
  } as unknown as ResourceEffectsOptions)
  t.teardown(() => effects.close())
  return {resources, warnings, decided, effects}
}

/** A limit of requests for each second, far below one. */
const limit = (name: string, perSecond = '1e-9'): ResourceSnapshot['components'][number] =>
  componentResource(name, 'middleware.http.ratelimit', {
    maxRequestsPerSecond: perSecond,
    pipelineType: 'httpPipeline',
    priority: '1'
  })

t.test('an edit of something else takes from no middleware what it has counted', async t => {
  const {resources, effects} = await follow(t, () => undefined)
  const edit = async (...components: ResourceSnapshot['components']): Promise<void> => {
    const before = effects.rules.pipeline
    resources.change({...NO_RESOURCES, components})
    for (let turn = 0; turn < 200 && effects.rules.pipeline === before; turn++) await new Promise(setImmediate)
  }
  const request: PipelineRequest = {url: '/', rawHeaders: [], isUppercase: false}
  const statuses = async (): Promise<readonly (number | undefined)[]> =>
    Promise.all(effects.rules.pipeline.map(async middleware => (await middleware(request))?.status))
  await edit(limit('a'))
  t.same(await statuses(), [undefined])
  await edit(limit('a'), componentResource('store', 'state.in-memory', {}))
  t.same(await statuses(), [429])
  await edit(limit('a'), limit('b'))
  t.same(await statuses(), [429, undefined])
  await edit(limit('a', '2e-9'), limit('b'))
  t.same(await statuses(), [undefined, 429])
})

const TRIPS_AT_ONCE = `kind: Resiliency
spec:
  policies: {circuitBreakers: {once: {trip: consecutiveFailures > 0}}}
  targets: {components: {store: {outbound: {circuitBreaker: once}}}}
`

t.test('a circuit breaker that an edit has ended is not recorded as open by a call that was in flight', async t => {
  const {resources, decided, effects} = await follow(t, () => undefined)
  const resource = await readResiliency(parseResourceFile({file: 'resiliency.yaml', text: TRIPS_AT_ONCE}))
  const {resiliency} = mergeResiliencies(resource === undefined ? [] : [resource], 'shop')
  const target = {name: 'store', kind: 'Statestore', direction: 'outbound'} as const
  const edit = async (snapshot: ResourceSnapshot): Promise<void> => {
    const before = effects.componentPolicies
    resources.change(snapshot)
    while (effects.componentPolicies === before) await new Promise(setImmediate)
  }
  const fail = (breaker = effects.componentPolicies?.find(target)?.breaker): void => {
    const permit = breaker?.enter()
    if (typeof permit === 'object') breaker?.done(permit, 'failure')
  }
  await edit({...NO_RESOURCES, resiliency})
  const breaker = effects.componentPolicies?.find(target)?.breaker
  await edit(NO_RESOURCES)
  fail(breaker)
  t.equal(breaker?.state, 'open')
  t.same(decided, [])
  await edit({...NO_RESOURCES, resiliency})
  fail()
  t.match(decided, [{type: 'breaker-changed', to: 'open'}])
})
