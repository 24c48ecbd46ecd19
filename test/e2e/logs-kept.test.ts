import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('the id of several instances means all of them: their new lines, and the last ones of all', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', replicas: 2}])
  const run = rig.pillion(['run', '-f', '.'])
  const lives = [await rig.driven('stock'), await rig.driven('stock')]
  for (const [index, life] of lives.entries()) {
    await life.print(`before ${index}\n`)
    await run.waitForLine(`before ${index}`)
  }
  const follower = rig.pillion(['logs', 'stock', '-f'])
  for (const [index] of lives.entries()) await follower.waitForLine(`before ${index}`)
  for (const [index, life] of lives.entries()) {
    await life.print(`after ${index}\n`)
    await follower.waitForLine(`after ${index}`)
  }
  t.match((await rig.run(['logs', 'stock', '--tail', '1'])).stdout, /^== APP - stock\S* == after 1\n$/)
})

const template = (replicas: string): Record<string, string> => ({
  'shop/x': '',
  'dapr.yaml': `version: 1
interpolate: true
apps:
  - {appID: shop, appDirPath: shop, command: [echo, hello], env: {KEY: "\${KEY:?ask}"}, replicas: ${replicas}}
`
})

t.test('the logs of an ended run are shown though its template has a mistake by now, or lacks a variable', async t => {
  const rig = await openRig(t)
  await rig.write(template('1'))
  t.match(await rig.run(['up', '--env', 'KEY=x']), {code: 0, stdout: 'hello\n'})
  for (const replicas of ['1', 'x', '"', '1']) {
    await rig.write(template(replicas))
    const isRead = replicas !== '"'
    t.match(
      await rig.run(['logs', 'shop']),
      isRead ? {code: 0, stdout: 'hello\n', stderr: ''} : {code: 1, stdout: 'never closed'}
    )
  }
})

t.test('why no logs are found of a template with a mistake is that mistake, which may hide their folder', async t => {
  const rig = await openRig(t)
  const app = '{appID: shop, appDirPath: "${WHERE:?ask}", command: [echo, hello]}'
  await rig.write({'shop/x': '', 'dapr.yaml': `version: 1\ninterpolate: true\napps:\n  - ${app}\n`})
  t.match(await rig.run(['up', '--env', 'WHERE=shop']), {code: 0, stdout: 'hello\n'})
  for (const args of [['logs'], ['logs', 'shop']])
    t.match(await rig.run(args), {code: 1, stdout: 'the variable WHERE is not set'}, args.join(' '))
  t.match(await rig.run(['logs', 'shopp']), {code: 1, stderr: 'has an app "shopp": did you mean shop?'})
})

t.test('what is kept of a single run is in memory, and gone with it', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  const a = await rig.driven('a')
  await a.print('\x1b[31mred\x1b[0m\nplain\r\n')
  await a.print('on stderr\n', 'stderr')
  await run.waitForLine('plain')
  await run.waitForLine('on stderr', {stream: 'stderr'})
  t.same(await rig.run(['logs', '-a', 'a']), {code: 0, stdout: 'red\nplain\r\non stderr\n', stderr: ''})
  const follower = rig.pillion(['logs', '-a', 'a', '-f', '--tail', '1'])
  await follower.waitForLine('on stderr')
  await a.print('later\n')
  await follower.waitForLine('later')
  await run.end()
  t.match(await follower.exited, {code: 0})
  t.equal(follower.stdout.text, 'on stderr\nlater\n')
  const after = await rig.run(['logs', '-a', 'a'])
  t.match(after, {code: 1, stdout: ''})
  t.equal(after.stderr.split('\n').length, 2, 'one line')
})

t.test('an app whose log goes to the console alone is kept in memory', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', appLogDestination: 'console'}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.print('seen\n')
  await run.waitForLine('seen')
  t.match(await rig.run(['logs', '-a', 'a']), {code: 0, stdout: '== APP - a == seen\n'})
})
