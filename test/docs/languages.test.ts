import t, {type Test} from 'tap'
import {filesOf} from '../rig/page.ts'
import {has} from '../rig/installed.ts'
import {openRig} from '../rig/rig.ts'

const files = filesOf('languages.md')

/** What an app of the page answers to a call by name. */
async function answer(test: Test, name: string, command: readonly string[]): Promise<string> {
  const rig = await openRig(test)
  await rig.write({[`app/${name}`]: files[name] ?? ''})
  await rig.template([{appID: 'app', autoPort: true, command}])
  const run = rig.pillion(['up'])
  await run.waitForLine('Writing log files')
  // until the app has answered what it subscribes to, its sidecar is not healthy, as in Dapr
  test.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const {code, stdout, stderr} = await rig.run(['invoke', '--app-id', 'app', '--method', '/', '--verb', 'GET'])
  test.equal(code, 0, stderr + run.stdout.text)
  await run.end('SIGINT')
  return stdout
}

t.test('the recipe of TypeScript', async t => {
  t.match(await answer(t, 'app.ts', [process.execPath, 'app.ts']), /^sidecar: 204\n/)
})

t.test('the recipe of Java', async t => {
  if (has(t, 'java')) t.match(await answer(t, 'Main.java', ['java', 'Main.java']), /^hello from Java\n/)
})
