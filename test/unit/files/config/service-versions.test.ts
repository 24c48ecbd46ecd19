import t from 'tap'
import {failure, load} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`)].join('\n')

const refusal = (test: Parameters<typeof load>[0], ...apps: readonly string[]): string =>
  failure(test, template(...apps)).message.replace('Error getting apps from config file: ', '')

t.test('entries may share an id when their versions differ, and plain apps in any case', async t => {
  for (const apps of [
    ['appID: dice, version: 1.0.0', 'appID: dice, version: 1.1.0', 'appID: dice, fixedPort: 9000'],
    ['appID: orders, appPort: 1', 'appID: orders, appPort: 1']
  ]) {
    const {plan} = load(t, template(...apps))
    t.equal(plan.apps.length, apps.length)
    t.equal(new Set(plan.apps.map(({id}) => id)).size, 1)
  }
})

t.test('a version is a semantic one', async t => {
  for (const version of ['1.0.0', '0.0.1', '1.2.3-rc.1+b.7', '10.20.30-a-b.0'])
    t.equal(load(t, template(`appID: dice, version: ${version}`)).plan.apps[0]?.version, version)
  for (const version of ['1.0', '1', 'v1.0.0', '01.0.0', '1.0.0-01', '1.0.0-'])
    t.equal(
      refusal(t, `appID: dice, version: ${version}`),
      `app "dice": version "${version}" is not a semantic version (like 1.0.0), dapr.yaml:3:50`
    )
})

t.test('an id with a version is one of Daeploy, any other is free', async t => {
  for (const id of ['dice', 'die_roller', 'd2', '2'])
    t.equal(load(t, template(`appID: ${id}, version: 1.0.0`)).plan.apps[0]?.id, id)
  for (const id of ['Dice', 'die-roller', 'dice_', '_dice', 'die.roller'])
    t.equal(refusal(t, `appID: ${id}, version: 1.0.0`), `app "${id}": an app with a version cannot have this id`)
  t.equal(load(t, template('appID: Die-Roller.x')).plan.apps[0]?.id, 'Die-Roller.x')
})

t.test('the same version of a service twice is refused, naming both places', async t => {
  t.equal(
    refusal(t, 'appID: dice, version: 1.0.0', 'appID: cup', 'appID: dice, version: 1.0.0'),
    'app "dice": version 1.0.0 appears twice, dapr.yaml:3:35 and dapr.yaml:5:35'
  )
  t.equal(
    refusal(t, 'appID: dice', 'appID: dice, fixedPort: 9000'),
    'app "dice": version 0.0.0 appears twice, dapr.yaml:3:35 and dapr.yaml:4:35'
  )
})

t.test('an id that also means a version of another service is refused', async t => {
  t.equal(
    refusal(t, 'appID: a_1.0.0', 'appID: a, version: 1.0.0'),
    'app "a_1.0.0": the id also means version 1.0.0 of "a"'
  )
  t.equal(load(t, template('appID: a_0.0.0', 'appID: a')).plan.apps.length, 2, 'plain apps do not collide')
})
