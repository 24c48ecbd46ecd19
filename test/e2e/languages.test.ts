import {execFileSync} from 'node:child_process'
import t, {type Test} from 'tap'
import {filesOf} from '../rig/page.ts'
import {openRig} from '../rig/rig.ts'

const files = filesOf('languages.md')

const has = (test: Test, program: string): boolean => {
  try {
    execFileSync(program, ['--version'], {stdio: 'ignore'})
    return true
  } catch {
    if (process.env['CI'] === 'true') test.fail(`${program} is missing`)
    else test.comment(`${program} is missing: its recipe was not run`)
    return false
  }
}

/** What an app of the page answers to a call by name. */
async function answer(test: Test, name: string, command: readonly string[]): Promise<string> {
  const rig = await openRig(test)
  await rig.write({[`app/${name}`]: files[name] ?? ''})
  await rig.template([{appID: 'app', autoPort: true, command}])
  const run = rig.pillion(['up'])
  await run.waitForLine('Writing log files')
  const {code, stdout, stderr} = await rig.run(['invoke', '--app-id', 'app', '--method', '/', '--verb', 'GET'])
  test.equal(code, 0, stderr + run.stdout.text)
  run.signal('SIGINT')
  await run.exited
  return stdout
}

t.test('the recipe of TypeScript', async t => {
  t.match(await answer(t, 'app.ts', [process.execPath, 'app.ts']), /^sidecar: 204\n/)
})

t.test('the recipe of Java', async t => {
  if (has(t, 'java')) t.match(await answer(t, 'Main.java', ['java', 'Main.java']), /^hello from Java\n/)
})
