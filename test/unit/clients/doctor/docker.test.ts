import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {checkDocker} from '../../../../src/clients/doctor/doctor.ts'
import type {Check} from '../../../../src/clients/doctor/check.ts'
import type {Plan} from '../../../../src/model/plan.ts'

/** What is said of apps with these commands where `docker` is this script. */
async function look(
  test: Test,
  script: string,
  ...commands: readonly (readonly string[])[]
): Promise<readonly Check[]> {
  const folder = test.testdir({docker: `#!/bin/sh\n${script}\n`})
  chmodSync(join(folder, 'docker'), 0o755)
  const apps = commands.map((command, index) => ({id: `a${index}`, command, folder, env: {}}))
  return checkDocker({apps} as unknown as Plan, {PATH: `${folder}:/usr/bin:/bin`})
}

t.test('a Docker daemon that is away is told where an app needs it', async t => {
  const away = await look(
    t,
    '[ "$1" = version ] && exit 1',
    ['docker', 'run', '--rm', 'redis'],
    ['node', 'app.mjs'],
    ['sh', '-c', 'exec docker compose up']
  )
  t.same(away, [
    {
      kind: 'fail',
      text: 'the Docker daemon does not answer (docker version exited with 1), which "a0", "a2" would need',
      advice: 'Start Docker, then look: docker version'
    }
  ])
  t.match(await look(t, 'exit 0', ['docker', 'run', 'x']), [{kind: 'ok', text: 'the Docker daemon answers'}])
})

t.test('a template without containers asks nobody, nor where docker is not there', async t => {
  t.same(await look(t, 'exit 1', ['node', 'docker.mjs']), [])
  const apps = [{id: 'a', command: ['docker', 'run', 'x'], folder: join('/'), env: {}}]
  t.same(await checkDocker({apps} as unknown as Plan, {PATH: '/nope'}), [], 'the look at the commands tells that')
})
