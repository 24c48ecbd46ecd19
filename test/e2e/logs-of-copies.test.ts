import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const TWO = {
  version: 1,
  apps: ['cart', 'stock'].map(appID => ({appID, appDirPath: '.', command: ['sh', 'say.sh', appID]}))
}

const cart = (run: string): string => `== APP - ${run}/cart == cart in ${run}`
const stock = (run: string): string => `== APP - ${run}/stock == stock in ${run}`

t.test('logs of several runs tells which run a line is of', async t => {
  const rig = await openRig(t)
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify(TWO), 'say.sh': 'echo "$1 in ${PWD##*/}"; exec sleep 100'})
  for (const folder of ['main', 'pr']) {
    const run = rig.pillion(['up'], {folder})
    await run.waitForLine('stock in')
    await run.waitForLine('cart in')
  }
  const lines = async (...args: readonly string[]): Promise<readonly string[]> => {
    const {stdout, stderr, code} = await rig.run(['logs', ...args])
    t.match({stderr, code}, {stderr: '', code: 0})
    return stdout.trimEnd().split('\n').toSorted()
  }
  t.same(await lines('--name', 'main', '--name', 'pr'), [cart('main'), stock('main'), cart('pr'), stock('pr')])
  t.same(await lines('cart', '--name', 'pr,main'), [cart('main'), cart('pr')])
  t.same(await lines('--name', 'pr', '--name', 'pr'), ['== APP - cart == cart in pr', '== APP - stock == stock in pr'])
  const [json = ''] = await lines('cart', '--log-as-json', '--name', 'main,pr', '--grep', 'in pr')
  t.match(JSON.parse(json), {run: 'pr', app: 'cart', line: 'cart in pr'})
  const following = rig.pillion(['logs', '-f', '--name', 'main', '--name', 'pr'])
  for (const name of ['main', 'pr']) await following.waitForLine(cart(name))
  await rig.run(['down', '--name', 'main'])
  await rig.run(['down', '--name', 'pr'])
  t.match(await following.exited, {code: 0})
})

t.test('a run or an app that is not there is named', async t => {
  const rig = await openRig(t)
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify(TWO), 'say.sh': 'exec sleep 100'})
  for (const folder of ['main', 'pr']) await rig.pillion(['up'], {folder}).waitForLine('Writing log files', {nth: 2})
  t.match(await rig.run(['logs', '--name', 'main,pra']), {
    code: 1,
    stdout: '',
    stderr: /no run is called "pra": did you mean "pr"/
  })
  t.match(await rig.run(['logs', 'shop', '--name', 'main,pr']), {
    code: 1,
    stderr: /none of main, pr has an app id shop/
  })
})
