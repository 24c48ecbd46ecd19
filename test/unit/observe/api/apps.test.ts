import t from 'tap'
import {deathsOf, launchOf, maskedEnvironment} from '../../../../src/observe/api/apps.ts'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {whyOf} from '../../../../src/observe/api/why.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths} from '../../../../src/observe/telemetry/recorder/deaths.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {appOf} from '../../../rig/listed.ts'
import {aDeath} from '../../../rig/made-call.ts'

t.test('passwords in addresses are masked in the command as in the variables', async t => {
  const url = 'postgres://shop:hunter2@db/orders'
  const launch = {folder: '/shop', command: ['node', 'app.mjs', url], environment: {DB: url}, added: ['DB']}
  const control = {list: () => ({apps: [appOf({id: 'shop'})]}), launch: async () => Promise.resolve(launch)}
  const facts = {control, masked: () => []} as unknown as RunFacts
  const masked = 'postgres://shop:<masked, 7 characters>@db/orders'
  t.match(await maskedEnvironment(facts, {id: 'shop', version: ''}), {
    command: ['node', 'app.mjs', masked],
    variables: [['DB', masked]]
  })
})

t.test('of a service with several versions each has its own environment, exits and reason', async t => {
  const asked: string[] = []
  const versions = ['1.0.0', '1.1.0']
  const control = {
    list: () => ({
      apps: [...versions.map(version => appOf({id: 'hello', version})), appOf({id: 'hello', instance: 2})]
    }),
    launch: async (id: string, version: string) => Promise.resolve(void asked.push(`${id} ${version}`))
  }
  const recorder = new CallRecorder(() => 0)
  const deaths = new Deaths(recorder)
  for (const version of ['1.0.0', '1.1.0', '1.1.0']) deaths.add(aDeath({app: 'hello', version}))
  const facts = {
    control,
    deaths,
    recorder,
    apps: () =>
      versions.map(version => ({
        id: 'hello',
        version,
        name: 'hello',
        availability: 'waiting',
        reason: `no ${version}`
      })),
    leftOut: () => [],
    portHint: async () => Promise.resolve(''),
    work: {openWorkflows: () => undefined}
  } as unknown as RunFacts
  const counts = {'': 3, '1.0.0': 1, '1.1.0': 2}
  for (const [version, count] of Object.entries(counts)) {
    const name = {id: 'hello', version}
    await t.rejects(launchOf(facts.control, name), {message: /is stopped/})
    t.equal(deathsOf(facts, name).deaths.length, count)
    const {instances, deaths: kept} = await whyOf(facts, name, new Masking([]))
    t.equal(kept, count)
    t.same(
      instances.map(({reason}) => reason),
      versions.filter(each => ['', each].includes(version)).map(each => `no ${each}`)
    )
  }
  t.same(asked, ['hello ', 'hello 1.0.0', 'hello 1.1.0'])
  t.equal(deathsOf(facts, {id: 'hello.1', version: '1.0.0'}).deaths.length, 1, 'the first instance')
  t.equal(deathsOf(facts, {id: 'hello.2', version: ''}).deaths.length, 0, 'the second one')
  const lost = {id: 'hello', version: '2.0.0'}
  await t.rejects(whyOf(facts, lost, new Masking([])), {message: /^couldn't find app id hello@2\.0\.0/})
})
