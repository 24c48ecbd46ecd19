import {chmod, readFile} from 'node:fs/promises'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {noTerminal, onTerminal} from '../rig/on-terminal.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const RESULT = JSON.stringify({
  Manifests: [
    {
      Name: 'web',
      DeployTarget: {Name: 'web', ServeCmd: {Argv: ['sh', '-c', 'node web.js'], Dir: '/', Env: null}, Deps: ['/srv']},
      TriggerMode: 0
    }
  ],
  EnabledManifests: ['web']
})

/** A Tiltfile, and a stand-in for Tilt that notes its arguments in `called`. */
async function withTilt(test: Test, body: string): Promise<{readonly rig: Rig; readonly env: Record<string, string>}> {
  const rig = await openRig(test)
  await rig.write({Tiltfile: 'x()\n', 'result.json': RESULT, 'bin/tilt': `#!/bin/sh\necho "$*" > called\n${body}\n`})
  await chmod(join(rig.folder, 'bin/tilt'), 0o755)
  return {rig, env: {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}}
}

t.test('a Tiltfile without Tilt: what to install, and what else import reads', async t => {
  const rig = await openRig(t)
  await rig.write({Tiltfile: 'x()\n'})
  const {code, stderr} = await rig.run(['import', '--yes'])
  t.equal(code, 1)
  t.match(
    stderr,
    /there is no program tilt, and only it can read Tiltfile: install Tilt \(docs\.tilt\.dev\/install\.html\)/
  )
  t.match(stderr, /--from folder/)
})

t.test('a Tiltfile: Tilt runs only with --yes where nobody can be asked, and its failure is shown', async t => {
  const {rig, env} = await withTilt(t, 'cat result.json')
  const refused = await rig.run(['import'], {env})
  t.match(refused, {code: 1, stderr: /Tiltfile is a program: reading it runs code of this project/})
  t.match(refused.stderr, /--yes runs: tilt alpha tiltfile-result --file \S+\/Tiltfile/)
  t.notOk(existsSync(join(rig.folder, 'called')), 'nothing ran')
  t.match(await rig.run(['import', '--yes'], {env}), {code: 0, stdout: /wrote 1 app from Tiltfile to pillion\.yaml/})
  t.match(await readFile(join(rig.folder, 'called'), 'utf8'), /^alpha tiltfile-result --file \S+\/Tiltfile\n$/)
  t.match(
    await readFile(join(rig.folder, 'pillion.yaml'), 'utf8'),
    /command: \[node, web\.js\]\n {4}watch: \{paths: \[/
  )
  const broken = await withTilt(t, 'echo "Error in main.go:3" >&2; exit 5')
  t.match(await broken.rig.run(['import', '--yes'], {env: broken.env}), {
    code: 1,
    stderr: /cannot import Tiltfile: tilt exited with 5\n[^]*Error in main\.go:3/
  })
})

t.test('a Tiltfile on a terminal: the command is shown, and a no runs nothing', {skip: noTerminal}, async t => {
  const {rig, env} = await withTilt(t, 'cat result.json')
  const asked = onTerminal(rig, ['import'], {env})
  const question =
    /This will run tilt alpha tiltfile-result --file \S+, and with it code of this project\. Continue\? \[y\/N\]/
  await asked.stdout.until(() => (question.test(asked.stdout.text) ? true : undefined), 'question')
  asked.stdin.write('n\n')
  t.match(await asked.exited, {code: 1})
  t.notOk(existsSync(join(rig.folder, 'called')))
})

t.test('Ctrl-C ends a tool that hangs, and its processes', async t => {
  // the stand-in itself presses Ctrl-C
  const {rig, env} = await withTilt(t, 'sleep 600 & kill -INT $PPID; wait')
  t.match(await rig.run(['import', '--yes'], {env}), {code: 1, stderr: /cannot import Tiltfile: tilt was cancelled/})
  t.same(await rig.leftovers(), [])
})
