import {existsSync} from 'node:fs'
import {chmod, copyFile, mkdir, readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {test} from 'tap'
import {containerOf} from '../../../../src/platform/containers.ts'
import {Scene} from './scene.ts'

test('a variable reaches the program whatever its name is: shells drop some', async t => {
  const odd = {'discovery.type': 'single-node', 'x-y': '1', 'Logging:Level': 'Debug', '4': 'four'}
  for (const terminal of [{}, {tty: true}] as const) {
    const scene = new Scene(t)
    const environment = (): Record<string, string> => ({...scene.environment('odd'), ...odd})
    const {app, witness} = scene.app({command: ['/usr/bin/env'], ...terminal}, {environment})
    void app.start()
    await app.ended
    for (const [name, value] of Object.entries(odd)) t.match(witness.text.stdout, `${name}=${value}\n`, name)
  }
})

/** The daemon keeps a container, and its name, whatever becomes of the client. */
const ENGINE_STAND_IN = `#!/bin/sh
[ "$1" = rm ] && exec rmdir "$HELD/$4"
mkdir "$HELD/$4" || exit 125
trap '' TERM
echo up
exec sleep 1000
`

test('a container that does not end at its signal ends with its app, which may start again', async t => {
  const scene = new Scene(t)
  const held = t.testdir({bin: {docker: ENGINE_STAND_IN}})
  await chmod(join(held, 'bin/docker'), 0o755)
  const env = {PATH: `${held}/bin:${process.env['PATH'] ?? ''}`, HELD: held}
  const run = ['docker', 'run', '--rm', '--name', 'shop-web', 'image', 'build']
  const stop = {signal: 'SIGTERM', timeoutMs: 100, first: 'leader', scope: 'all'} as const
  // one that is killed while it builds has no container: the name is that of another one
  for (const [command, isLeft] of [
    [run, false],
    [['sh', '-c', 'exec "$@"', 'build', ...run], true]
  ] as const) {
    const {app, witness} = scene.app({command, env, stop})
    void app.start()
    await witness.seen(/up/)
    await app.stop('user')
    t.equal(existsSync(join(held, 'shop-web')), isLeft)
  }
})

test('a name among the words of the program in a container is not that of the container', async t => {
  t.equal(containerOf(['docker', 'run', '--rm', 'tool:1', 'migrate', '--name', 'prod-db']), undefined)
  t.same(containerOf(['docker', 'run', '--rm', '--name', 'db', 'postgres']), {engine: 'docker', names: ['db']})
})

test('an editor that an app has opened, and what runs in it, outlives the app', async t => {
  const scene = new Scene(t)
  const folder = await scene.folder()
  const editor = join(folder, 'share/code/code')
  await mkdir(dirname(editor), {recursive: true})
  await copyFile('/bin/bash', editor)
  const inside = `setsid sh -c 'echo $$ >pids; exec sleep 300' & until [ -s pids ]; do sleep 0.05; done; echo $$ >>pids; wait`
  const open = `setsid ${editor} -c "$INSIDE" & until [ "$(wc -l <pids)" = 2 ]; do sleep 0.05; done; echo up; sleep 300`
  const {app, witness} = scene.app({folder, command: ['sh', '-c', open], env: {INSIDE: inside}})
  await app.start()
  await witness.seen(/up/)
  const pids = (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n').map(Number)
  t.teardown(async () => {
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    while ((await scene.left()).length > 0) await new Promise(setImmediate)
  })
  await app.stop('user')
  t.same(new Set(await scene.left()), new Set(pids))
})
