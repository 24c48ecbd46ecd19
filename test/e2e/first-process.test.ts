/** Pillion as the first process of a container, whose children all orphans become. */
import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const NAMESPACE = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child']
const PILLION = [process.execPath, join(import.meta.dirname, '../../bin/pillion.js')]
const isRefused = spawnSync('unshare', [...NAMESPACE.slice(1), 'true']).status !== 0

/** Prints when as many orphans have exited, and when none of them is a zombie any more. */
const ORPHANS = `
for each in $(seq 30); do (sleep 0.1 &); done
zombies() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep) Z 1 '; }
until [ "$(zombies)" = 30 ]; do :; done
echo all have exited
until [ "$(zombies)" = 0 ]; do sleep 0.1; done
echo none is left
sleep 600
`

t.test('as PID 1 a run reaps orphans, apps keep codes', {skip: isRefused && 'unshare is refused'}, async t => {
  const rig = await openRig(t, {program: [...NAMESPACE, ...PILLION]})
  await rig.write({'orphans.sh': ORPHANS})
  await rig.template([
    {appID: 'orphans', appDirPath: '.', command: ['sh', 'orphans.sh']},
    {appID: 'short', appDirPath: '.', command: ['sh', '-c', 'sleep 3; exit 7']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('all have exited')
  await run.waitForLine('none is left')
  await run.waitForLine('"short" exited with code 7', {stream: 'stderr'})
  t.notMatch(run.stderr.text, 'docker run --init')
})
