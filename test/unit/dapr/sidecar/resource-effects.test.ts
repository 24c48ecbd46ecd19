import t, {type Test} from 'tap'
import {ResourceEffects, type ResourceEffectsOptions} from '../../../../src/dapr/sidecar/resource-effects.ts'
import {OpenResources, type ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import {NO_RESOURCES} from '../../../../src/files/resources/defaults.ts'

const app = {id: 'shop', resources: {folders: [], configFile: '', defaultFolder: ''}}

/** The resources of an app whose Configuration has this rate. */
const sampled = (samplingRate: string): ResourceSnapshot => {
  const {configuration} = NO_RESOURCES
  return {...NO_RESOURCES, configuration: {...configuration, tracing: {...configuration.tracing, samplingRate}}}
}

/** Follows the resources of an app: `use` applies a rate. */
async function follow(t: Test, use: (samplingRate: string) => void) {
  const resources = new OpenResources(app, sampled('1'), {warn: () => undefined, closed: () => undefined})
  const warnings: string[] = []
  const effects = await ResourceEffects.open({
    runtime: {id: 'shop', plan: {channel: {protocol: 'http'}}, faults: new Map()},
    resources,
    namespace: 'default',
    tracing: {use: async ({samplingRate}: {readonly samplingRate: string}) => use(samplingRate)},
    external: {},
    warn: (text: string) => warnings.push(text)
  } as unknown as ResourceEffectsOptions)
  t.teardown(() => effects.close())
  return {resources, warnings}
}

const SHORTAGE = new Error('EMFILE: too many open files')

t.test('a change that cannot be applied, as no file can be opened, keeps none from being applied later', async t => {
  const used: string[] = []
  const applied = Promise.withResolvers<void>()
  const {resources, warnings} = await follow(t, rate => {
    if (rate === '0.5') throw SHORTAGE
    used.push(rate)
    if (rate === '0.25') applied.resolve()
  })
  resources.change(sampled('0.5'))
  await new Promise(setImmediate)
  resources.change(sampled('0.25'))
  await applied.promise
  t.strictSame(used, ['1', '0.25'])
  t.match(warnings, [/^a change of resources has no effect yet: EMFILE/])
})

t.test('a change that could not be applied is applied once it can be, though nothing else changes', async t => {
  const applied = Promise.withResolvers<void>()
  let tries = 0
  const {resources} = await follow(t, rate => {
    if (rate !== '0.5') return
    if (++tries === 1) throw SHORTAGE
    applied.resolve()
  })
  resources.change(sampled('0.5'))
  await applied.promise
  t.equal(tries, 2)
})
