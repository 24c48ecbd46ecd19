import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a mistake has a place, a caret and a hint, after the words of Dapr', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    command: node app.mjs\n'})
  for (const command of ['run', 'validate']) {
    const {code, stdout, stderr} = await rig.run([command, '-f', '.'])
    t.equal(code, 1)
    t.equal(
      stdout,
      '❌  Error getting apps from config file: error in parsing the provided app config file: yaml: unmarshal errors:\n  line 5: cannot unmarshal !!str `node ap...` into []string\n'
    )
    t.match(stderr, /^dapr\.yaml:5:14\n/)
    t.match(stderr, /\n.*command: node app\.mjs\n *\^+\n/)
    t.match(stderr, /\["node", "app\.mjs"\]/)
  }
})

t.test('a template without apps says so', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\n'})
  t.match(await rig.run(['run', '-f', '.']), {code: 1, stdout: '❌  No apps to run\n'})
})

t.test('a template is read from stdin; its folder is the one where it was typed', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['pwd']}])
  const program = rig.start(['sh', '-c', '"$@" run -f - < dapr.yaml', 'sh', ...rig.program])
  t.match(await program.exited, {code: 0})
  t.ok(program.stdout.lines.includes(`== APP - shop == ${rig.folder}/shop`))
})

t.test('validate shows an unknown key with its place, run names it in one line', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', comand: ['x'], command: ['true']}])
  const {code, stdout, stderr} = await rig.run(['validate'])
  t.equal(code, 0)
  t.equal(stdout, '✅  dapr.yaml can run: 1 app\n')
  t.match(stderr, /comand/)
  t.match(stderr, /did you mean .*command/i)
  const run = await rig.run(['run', '-f', '.'])
  t.equal(run.code, 0)
  t.match(run.stderr, /^⚠ {2}dapr\.yaml:\d+:\d+: comand is ignored: unknown key \(did you mean command\?\)\n$/)
})
