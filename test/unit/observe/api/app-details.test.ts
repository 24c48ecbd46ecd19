import t from 'tap'
import {maskedEnvironment} from '../../../../src/observe/api/app-details.ts'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {appOf} from '../../../rig/listed.ts'

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
